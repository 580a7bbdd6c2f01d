// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Counts how many of its events happen in each clock and stays at its highest value.

module upset_counter #(
    parameter int unsigned Events = 1,
    parameter int unsigned Width = 16
) (
    input  logic              clk_i,
    input  logic              rst_ni,
    input  logic [Events-1:0] event_i,
    output logic [ Width-1:0] count_o
);

  logic [Width:0] sum;

  always_comb begin
    sum = {1'b0, count_o};
    for (int index = 0; index < Events; index++) sum += (Width + 1)'(event_i[index]);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_o <= '0;
    else count_o <= sum[Width] ? '1 : sum[Width-1:0];
  end

endmodule
