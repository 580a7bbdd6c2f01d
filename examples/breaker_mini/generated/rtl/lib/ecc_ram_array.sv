// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The storage of an ECC RAM: one port, synchronous read, one access a clock.
//
// Written so that synthesis finds a block RAM; the place to put a vendor's macro. The content is undefined at the start
// and is no part of the reset.

module ecc_ram_array #(
    parameter  int unsigned CodewordBits = 39,
    parameter  int unsigned Words        = 256,
    localparam int unsigned AddressBits  = $clog2(Words)
) (
    input  logic                    clk_i,
    input  logic                    read_i,
    input  logic                    write_i,  // Not together with read_i.
    input  logic [ AddressBits-1:0] address_i,
    input  logic [CodewordBits-1:0] wdata_i,
    output logic [CodewordBits-1:0] rdata_o   // The clock after read_i, until the next read.
);

  logic [CodewordBits-1:0] mem[Words];

  always_ff @(posedge clk_i) begin
    if (write_i) mem[address_i] <= wdata_i;
    else if (read_i) rdata_o <= mem[address_i];
  end

endmodule
