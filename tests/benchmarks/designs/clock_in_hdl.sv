// SPDX-License-Identifier: Apache-2.0
// The same design with its clock in HDL: Python sleeps while the cycles pass.
module clock_in_hdl;
  timeunit 1ns; timeprecision 1ns;

  logic        clk = 1'b0;
  logic [63:0] state;
  logic [31:0] cycle;

  always #5 clk = ~clk;

  shift_register #(.Width(64)) u_register (.clk_i(clk), .state_o(state), .cycle_o(cycle));
endmodule
