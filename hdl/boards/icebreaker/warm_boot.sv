// SPDX-License-Identifier: Apache-2.0
// Has an iCE40 load the bitstream of a slot: images 1 to 3 behind the vectors at the beginning of its flash lie in slots 1
// to 3 (Lattice FPGA-TN-02001). Image 0 is the golden one, which power-on loads.

(* blackbox, keep *)
module SB_WARMBOOT (
    input logic BOOT,  // Its rising edge takes up the image.
    input logic S1,
    input logic S0
);
endmodule

module warm_boot (
    input  logic        request_i,
    input  logic [ 3:0] slot_i,
    output logic [15:0] slots_o     // That can be loaded.
);

  (* keep *)
  SB_WARMBOOT u_fpga (
      .BOOT(request_i),
      .S1  (slot_i[1]),
      .S0  (slot_i[0])
  );

  assign slots_o = 16'b1110;

  logic unused;
  assign unused = &slot_i[3:2];

endmodule
