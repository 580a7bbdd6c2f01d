// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Counts events and stays at its highest value: a counter that wrapped would hide a storm.

module event_counter #(
    parameter int unsigned Width = 16
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             clear_i,  // An event in the same clock is the first of the new count.
    input  logic             event_i,
    output logic [Width-1:0] count_o
);

  logic [Width-1:0] count_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else if (clear_i) count_q <= Width'(event_i);
    else if (event_i && !(&count_q)) count_q <= count_q + 1'b1;
  end

  assign count_o = count_q;

endmodule
