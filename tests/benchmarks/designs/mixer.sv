// SPDX-License-Identifier: Apache-2.0
// Bits 300 of state, ten gates to each next bit: every flip spreads, and none is ever forgotten.
module mixer #(
  parameter int unsigned Bits = 300
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  output logic        accepted_o,
  output logic [31:0] data_o
);
  logic [Bits-1:0] state_q  /*verilator public_flat_rw*/;

  assign accepted_o = state_q[2:0] == '0;
  assign data_o     = state_q[63:32];

  for (genvar i = 0; i < Bits; i++) begin : gen_bit
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) state_q[i] <= (i % 3) == 0;
      else
        state_q[i] <= (state_q[(i+1)%Bits] & state_q[(i+7)%Bits])
            ^ (state_q[(i+13)%Bits] | state_q[(i+29)%Bits])
            ^ (state_q[(i+47)%Bits] & state_q[(i+61)%Bits])
            ^ (state_q[(i+83)%Bits] | state_q[(i+101)%Bits])
            ^ state_q[(i+127)%Bits] ^ state_q[(i+149)%Bits] ^ state_q[(i+201)%Bits];
    end
  end
endmodule
