// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Shares the port of a memory between its user and the link, which reads and writes octets.
//
// The user goes first; a link that has waited for PatienceClocks takes one clock, in which the user gets no grant. The
// link walks over whole words, the most significant octet first; a word takes a power of two of octets, the unused bits
// at its upper end are zero. A word is read with its first octet and written with its last.
//
// Not answered: an upset of the octets that are held between the first and the last one of a word.

module memory_gate #(
    parameter  int unsigned DataBits       = 32,
    parameter  int unsigned Words          = 256,
    parameter  int unsigned PatienceClocks = 16,
    localparam int unsigned AddressBits    = $clog2(Words),
    localparam int unsigned WordBits       = DataBits > 8 ? 1 << $clog2(DataBits) : 8,
    localparam int unsigned OctetBits      = $clog2(WordBits / 8)
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    // The user, as of the memory itself.
    input  logic                   user_request_i,
    input  logic                   user_write_i,
    input  logic [AddressBits-1:0] user_address_i,
    input  logic [   DataBits-1:0] user_wdata_i,
    output logic                   user_grant_o,
    output logic                   user_rvalid_o,
    // The link. One of read_i and write_i, held until ready_o.
    input  logic                   read_i,
    input  logic                   write_i,
    input  logic [           23:0] address_i,         // Octets.
    input  logic [            7:0] octet_i,
    output logic [            7:0] octet_o,
    output logic                   ready_o,
    output logic                   uncorrectable_o,   // One clock, when a word was read.
    // The memory.
    output logic                   is_link_o,         // This clock is the link's.
    output logic                   request_o,
    output logic                   write_o,
    output logic [AddressBits-1:0] address_o,
    output logic [   DataBits-1:0] wdata_o,
    input  logic                   grant_i,
    input  logic                   rvalid_i,
    input  logic [   DataBits-1:0] rdata_i,
    input  logic                   runcorrectable_i
);

  localparam int unsigned WaitBits = $clog2(PatienceClocks + 1);
  localparam logic [23:0] OctetMask = 24'((1 << OctetBits) - 1);

  logic [WordBits-1:0] word_q, word_with_octet;
  logic is_read_q, is_fetched_q, wants_link;
  logic is_first, is_last;
  logic [WaitBits-1:0] waited_q;
  logic [23:0] place;  // Of the octet in its word, from the lower end.

  assign place    = ~address_i & OctetMask;
  assign is_first = (address_i & OctetMask) == '0;
  assign is_last  = place == '0;

  always_comb begin
    word_with_octet = word_q;
    word_with_octet[place*8+:8] = octet_i;
  end

  assign wants_link = (read_i && is_first && !is_fetched_q && !is_read_q) || (write_i && is_last);
  assign is_link_o  = wants_link && (!user_request_i || waited_q >= WaitBits'(PatienceClocks));

  assign request_o     = is_link_o || user_request_i;
  assign write_o       = is_link_o ? write_i : user_write_i;
  assign address_o     = is_link_o ? AddressBits'(address_i >> OctetBits) : user_address_i;
  assign wdata_o       = is_link_o ? word_with_octet[DataBits-1:0] : user_wdata_i;
  assign user_grant_o  = grant_i && !is_link_o;
  assign user_rvalid_o = rvalid_i && !is_read_q;

  assign ready_o         = read_i ? !is_first || is_fetched_q : !is_last || (is_link_o && grant_i);
  assign octet_o         = word_q[place*8+:8];
  assign uncorrectable_o = is_read_q && runcorrectable_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q       <= '0;
      is_read_q    <= 1'b0;
      is_fetched_q <= 1'b0;
      waited_q     <= '0;
    end else begin
      is_read_q    <= is_link_o && grant_i && read_i;
      is_fetched_q <= is_read_q || (is_fetched_q && !ready_o);
      waited_q     <= wants_link && !(is_link_o && grant_i) ? waited_q + WaitBits'(!(&waited_q)) : '0;
      if (is_read_q) word_q <= WordBits'(rdata_i);
      else if (write_i) word_q <= word_with_octet;
    end
  end

endmodule
