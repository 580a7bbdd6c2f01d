// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Takes the octets of a packet, appends its packet error control and sends it as one frame: consistent overhead byte
// stuffing (Cheshire and Baker, 1999), a delimiter 0x00 before and after.
//
// A packet is stuffed on its way into the ring: each block's length is written into the place that was kept free for it
// when the block is complete. The line gets a packet only when it is whole, so the engine may take its time, and an
// abandoned packet leaves nothing behind. ready_o goes low while the ring is full or a block is being closed. A packet
// that is longer than the ring is dropped when it ends, and the engine never waits for room that cannot come.
//
// Upsets: a flipped pointer sends octets that were there before, at most once around the ring; no frame of them passes
// the check of the ground.

module frame_sender #(
    parameter  int unsigned AddressBits = 11,
    localparam int unsigned PointerBits = AddressBits + 1
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    // From the engine; one of valid_i, end_i, abort_i at a time.
    input  logic                   valid_i,
    input  logic [            7:0] octet_i,
    input  logic                   end_i,      // Held until ready_o.
    input  logic                   abort_i,
    output logic                   ready_o,    // For valid_i and end_i.
    output logic [PointerBits-1:0] room_o,     // Octets that fit in now.
    // To the line.
    output logic                   valid_o,
    input  logic                   ready_i,
    output logic [            7:0] octet_o
);

  localparam logic [PointerBits-1:0] Capacity = PointerBits'(1 << AddressBits);
  localparam logic [PointerBits-1:0] Margin = PointerBits'(8);  // What opening and ending a frame may take at once.
  localparam logic [7:0] Delimiter = 8'h00;
  localparam logic [7:0] LongestBlock = 8'hff;

  typedef enum logic [2:0] {
    Closed   = 3'd0,
    Open     = 3'd1,
    CrcHigh  = 3'd2,
    CrcLow   = 3'd3,
    LastCode = 3'd4,
    Finish   = 3'd5
  } state_e;

  state_e state_q;
  logic [PointerBits-1:0] write_q, whole_q, read_q, read_d;
  logic [AddressBits-1:0] code_q;  // Place of the code of the open block.
  logic [7:0] block_q;  // What the block's code would be if it ended here.
  logic [15:0] crc_q, crc_next;
  logic is_too_long_q;
  logic is_full, is_hopeless, is_block_closing, is_open_ready, is_put, is_write;
  logic [7:0] put_octet, write_octet;
  logic [AddressBits-1:0] write_address;

  assign room_o           = Capacity - (write_q - read_q);
  assign is_full          = room_o < Margin;
  assign is_hopeless      = is_full && read_q == whole_q;
  assign is_block_closing = block_q == LongestBlock;
  assign is_open_ready    = state_q == Open && !is_block_closing && (!is_full || is_hopeless);
  assign ready_o          = is_open_ready || (state_q == Closed && end_i);  // An end without a packet is none.

  // The octet that goes through the stuffing in this clock.
  always_comb begin
    is_put    = 1'b0;
    put_octet = octet_i;
    unique case (state_q)
      Open: is_put = valid_i && is_open_ready;
      CrcHigh: begin
        is_put    = !is_block_closing;
        put_octet = crc_q[15:8];
      end
      CrcLow: begin
        is_put    = !is_block_closing;
        put_octet = crc_q[7:0];
      end
      default: is_put = 1'b0;
    endcase
  end

  // One octet a clock goes into the ring.
  always_comb begin
    is_write      = 1'b0;
    write_address = write_q[AddressBits-1:0];
    write_octet   = put_octet;
    if (state_q == Closed || state_q == Finish) begin
      is_write    = state_q == Finish || valid_i;
      write_octet = Delimiter;
    end else if (state_q == LastCode || is_block_closing || (is_put && put_octet == 8'h00)) begin
      is_write      = 1'b1;
      write_address = code_q;
      write_octet   = block_q;
    end else begin
      is_write = is_put;
    end
  end

  crc16_octet u_crc16_octet (
      .crc_i  (crc_q),
      .octet_i(octet_i),
      .crc_o  (crc_next)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q       <= Closed;
      write_q       <= '0;
      code_q        <= '0;
      whole_q       <= '0;
      block_q       <= 8'd1;
      crc_q         <= '1;
      is_too_long_q <= 1'b0;
    end else if (abort_i) begin
      state_q       <= Closed;
      write_q       <= whole_q;
      is_too_long_q <= 1'b0;
    end else begin
      unique case (state_q)
        Closed: begin
          crc_q   <= '1;
          block_q <= 8'd1;
          if (valid_i) begin  // The delimiter is written; one place is kept for the first code.
            state_q <= Open;
            code_q  <= AddressBits'(write_q + 1'b1);
            write_q <= write_q + PointerBits'(2);
          end
        end
        Open: begin
          if (is_put) crc_q <= crc_next;
          if (end_i && is_open_ready) state_q <= CrcHigh;
          is_too_long_q <= is_too_long_q || ((is_put || end_i) && is_hopeless);
        end
        CrcHigh: if (is_put) state_q <= CrcLow;
        CrcLow: if (is_put) state_q <= LastCode;
        LastCode: state_q <= Finish;
        Finish: begin
          state_q       <= Closed;
          is_too_long_q <= 1'b0;
          write_q       <= is_too_long_q ? whole_q : write_q + 1'b1;
          whole_q       <= is_too_long_q ? whole_q : write_q + 1'b1;
        end
        default: state_q <= Closed;
      endcase
      if ((is_block_closing && state_q != LastCode) || (is_put && put_octet == 8'h00)) begin
        code_q  <= write_q[AddressBits-1:0];
        write_q <= write_q + PointerBits'(!is_too_long_q);
        block_q <= 8'd1;
      end else if (is_put) begin
        write_q <= write_q + PointerBits'(!is_too_long_q);
        block_q <= block_q + 8'd1;
      end
    end
  end

  // --- To the line ------------------------------------------------------------------------------

  logic is_read_valid_q;

  assign read_d  = read_q + PointerBits'(valid_o && ready_i);
  assign valid_o = is_read_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      read_q          <= '0;
      is_read_valid_q <= 1'b0;
    end else begin
      read_q          <= read_d;
      is_read_valid_q <= read_d != whole_q;
    end
  end

  octet_ring #(
      .AddressBits(AddressBits)
  ) u_ring (
      .clk_i,
      .write_i        (is_write && !is_too_long_q),
      .write_address_i(write_address),
      .octet_i        (write_octet),
      .read_address_i (read_d[AddressBits-1:0]),
      .octet_o
  );

endmodule
