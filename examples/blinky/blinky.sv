// SPDX-License-Identifier: Apache-2.0
// A counter whose top bit blinks; no reset, as configuration sets it to 0.

module blinky (
    input  logic clk,
    output logic led
);

  logic [23:0] count_q = '0;

  always_ff @(posedge clk) count_q <= count_q + 1'b1;

  assign led = count_q[23];

endmodule
