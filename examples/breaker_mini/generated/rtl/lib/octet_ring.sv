// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The storage of a ring of octets: one port writes, the other reads in every clock.
//
// Written so that synthesis finds a block RAM; the place to put a vendor's macro. The content is undefined at the start
// and is no part of the reset. An octet that is read in the clock in which it is written comes out as it was before.

module octet_ring #(
    parameter int unsigned AddressBits = 11
) (
    input  logic                   clk_i,
    input  logic                   write_i,
    input  logic [AddressBits-1:0] write_address_i,
    input  logic [            7:0] octet_i,
    input  logic [AddressBits-1:0] read_address_i,
    output logic [            7:0] octet_o  // The clock after its address.
);

  logic [7:0] mem[1 << AddressBits];

  always_ff @(posedge clk_i) begin
    if (write_i) mem[write_address_i] <= octet_i;
    octet_o <= mem[read_address_i];
  end

endmodule
