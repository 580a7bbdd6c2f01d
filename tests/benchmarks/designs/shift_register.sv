// SPDX-License-Identifier: Apache-2.0
// The design under both clocks: a shift register with feedback, wide enough to be no mere counter.
module shift_register #(
  parameter int unsigned Width = 64
) (
  input  logic             clk_i,
  output logic [Width-1:0] state_o,
  output logic [31:0]      cycle_o
);
  initial state_o = Width'(1);
  initial cycle_o = '0;

  always_ff @(posedge clk_i) begin
    state_o <= {state_o[Width-2:0], state_o[Width-1] ^ state_o[0]};
    cycle_o <= cycle_o + 32'd1;
  end
endmodule
