// SPDX-License-Identifier: Apache-2.0
// Has an ECP5 load another bitstream: PROGRAMN low configures it anew, from the address that the one which runs names as
// the next (Lattice FPGA-TN-02039). The golden one names slot 1; any other names none and leads back to the golden one, which
// then asks for slot 1. So slot 1 alone can be loaded.

module warm_boot (
    input  logic        request_i,
    input  logic [ 3:0] slot_i,
    output logic [15:0] slots_o,   // That can be loaded.
    output logic        programn_o
);

  assign programn_o = !request_i;
  assign slots_o = 16'b0010;

  logic unused;
  assign unused = &slot_i;

endmodule
