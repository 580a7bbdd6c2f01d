// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Keeps the packets that arrive in frames until the engine takes them up, oldest first.
//
// A frame is kept if it is whole, no longer than LongestPacket, and as long as the packet length in its primary header
// says (CCSDS 133.0-B 4.1.3.5), which is at least an octet and the packet error control; others leave nothing behind and are told to the counters by their cause. The packet error control is checked when the
// engine takes the packet up, over the octets as they then stand in the ring, so that an upset in between is seen too.
// An upset while the packet is being carried out is not.
//
// With is_raw_i the octets of the line are kept one by one, whatever they are: is_available_o says that one is there to
// be read, seek_i goes back to one since the last release, which lets go of all that was read. clear_i empties the ring.
//
// take_i: check_done_o follows one clock for each octet later, or at once when there is nothing. Then length_o, octet_o
// and seek_i belong to that packet until release_i, which does nothing when none is in hand. Reading runs past the end of a packet without harm.

module frame_receiver #(
    parameter  int unsigned AddressBits = 12,
    parameter  int unsigned LongestPacket = 1047,
    localparam int unsigned LengthBits  = AddressBits + 1
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    // From the line.
    input  logic                   valid_i,
    input  logic [            7:0] octet_i,
    input  logic                   end_i,
    input  logic                   is_bad_i,
    input  logic                   is_raw_i,      // valid_i and octet_i are of the line, not of frames.
    input  logic                   clear_i,
    output logic                   bad_frame_o,   // One clock, as the next two: why a frame was dropped.
    output logic                   bad_length_o,
    output logic                   no_room_o,
    // To the engine.
    output logic                   is_available_o,
    input  logic                   take_i,
    output logic                   check_done_o,
    output logic                   is_good_o,     // With check_done_o: there is a packet, and its error control is right.
    output logic [LengthBits-1:0]  length_o,
    input  logic                   seek_i,
    input  logic [LengthBits-1:0]  seek_offset_i,
    input  logic                   next_i,
    output logic [            7:0] octet_o,       // At the place of reading; the clock after it moved.
    input  logic                   release_i
);

  localparam int unsigned HeaderOctets = 6;
  localparam logic [LengthBits-1:0] LengthOffset = LengthBits'(HeaderOctets + 1);  // Octets minus the length field.
  localparam logic [LengthBits-1:0] Capacity = LengthBits'(1 << AddressBits);

  // --- Writing ----------------------------------------------------------------------------------

  logic [LengthBits-1:0] write_q, kept_q;  // Next place; behind the last packet that is kept.
  logic [LengthBits-1:0] base_q;  // First octet of the oldest packet.
  logic [LengthBits-1:0] received;
  logic [15:0] length_field_q;
  logic is_full, is_overrun_q, is_whole, is_length_right, is_kept;

  assign received        = write_q - kept_q;
  assign is_full         = write_q - base_q >= Capacity || received >= LengthBits'(LongestPacket);
  assign is_whole        = end_i && !is_bad_i && !is_overrun_q;
  assign is_length_right = length_field_q != '0 && {1'b0, length_field_q} + 17'(LengthOffset) == 17'(received);
  assign is_kept         = is_whole && is_length_right;
  assign bad_frame_o     = end_i && is_bad_i;
  assign no_room_o       = end_i && !is_bad_i && is_overrun_q;
  assign bad_length_o    = is_whole && !is_length_right;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q        <= '0;
      kept_q         <= '0;
      length_field_q <= '0;
      is_overrun_q   <= 1'b0;
    end else if (clear_i) begin
      write_q        <= kept_q;
      length_field_q <= '1;
      is_overrun_q   <= 1'b0;
    end else if (is_raw_i) begin
      write_q <= write_q + LengthBits'(valid_i && !is_full);
      kept_q  <= write_q + LengthBits'(valid_i && !is_full);
    end else if (end_i) begin
      write_q        <= is_kept ? write_q : kept_q;
      kept_q         <= is_kept ? write_q : kept_q;
      length_field_q <= '1;
      is_overrun_q   <= 1'b0;
    end else if (valid_i) begin
      write_q      <= write_q + LengthBits'(!is_full);
      is_overrun_q <= is_overrun_q || is_full;
      if (received == LengthBits'(HeaderOctets - 2)) length_field_q[15:8] <= octet_i;
      if (received == LengthBits'(HeaderOctets - 1)) length_field_q[7:0] <= octet_i;
    end
  end

  // --- Reading ----------------------------------------------------------------------------------

  typedef enum logic [1:0] {
    Idle   = 2'b00,
    Length = 2'b01,
    Check  = 2'b10
  } state_e;

  state_e state_q;
  logic [LengthBits-1:0] read_q, read_d, length_q, left_q;
  logic [15:0] crc_q, crc_next;
  logic is_walking, is_in_hand_q;

  assign is_available_o = (is_raw_i ? read_q : base_q) != kept_q;
  assign is_walking     = state_q != Idle;

  always_comb begin
    read_d = read_q;
    if (clear_i) read_d = kept_q;
    else if (take_i) read_d = base_q + LengthBits'(HeaderOctets - 2);
    else if (state_q == Length && left_q == LengthBits'(1)) read_d = base_q;
    else if (seek_i) read_d = base_q + seek_offset_i;
    else if (is_walking || next_i) read_d = read_q + 1'b1;
  end

  octet_ring #(
      .AddressBits(AddressBits)
  ) u_ring (
      .clk_i,
      .write_i        (valid_i && !is_full),
      .write_address_i(write_q[AddressBits-1:0]),
      .octet_i,
      .read_address_i (read_d[AddressBits-1:0]),
      .octet_o
  );

  crc16_octet u_crc16_octet (
      .crc_i  (crc_q),
      .octet_i(octet_o),
      .crc_o  (crc_next)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= Idle;
      base_q       <= '0;
      read_q       <= '0;
      length_q     <= '0;
      left_q       <= '0;
      crc_q        <= '1;
      check_done_o <= 1'b0;
      is_good_o    <= 1'b0;
      is_in_hand_q <= 1'b0;
    end else begin
      read_q       <= read_d;
      check_done_o <= 1'b0;
      unique case (state_q)
        Idle: begin
          crc_q  <= '1;
          left_q <= LengthBits'(2);
          if (clear_i) begin
            base_q       <= kept_q;
            is_in_hand_q <= 1'b0;
          end else if (release_i && is_raw_i) begin
            base_q <= read_q;
          end else if (take_i) begin
            state_q      <= is_available_o ? Length : Idle;
            check_done_o <= !is_available_o;
            is_good_o    <= 1'b0;
          end else if (release_i && is_in_hand_q) begin
            base_q       <= base_q + length_q;
            is_in_hand_q <= 1'b0;
          end
        end
        Length: begin  // The two octets of the length field pass by.
          length_q <= LengthBits'({length_q[7:0], octet_o});
          left_q   <= left_q - 1'b1;
          if (left_q == LengthBits'(1)) begin
            length_q <= LengthBits'({length_q[7:0], octet_o}) + LengthOffset;
            left_q   <= LengthBits'({length_q[7:0], octet_o}) + LengthOffset;
            state_q  <= Check;
          end
        end
        Check: begin
          crc_q  <= crc_next;
          left_q <= left_q - 1'b1;
          if (left_q == LengthBits'(1) || left_q == '0) begin
            state_q      <= Idle;
            is_in_hand_q <= 1'b1;
            check_done_o <= 1'b1;
            is_good_o    <= crc_next == 16'h0000;
          end
        end
        default: state_q <= Idle;
      endcase
      // An upset of the length must not carry the base past what is kept.
      if (kept_q - base_q > Capacity) base_q <= kept_q;
    end
  end

  assign length_o = length_q;

endmodule
