// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// One pulse every PeriodCycles clocks, the first after one whole period.
//
// An upset of the counter makes one period shorter or longer; a count past the end ends the period
// at once.

module periodic_trigger #(
    parameter longint unsigned PeriodCycles = 64'd50_000_000
) (
    input  logic clk_i,
    input  logic rst_ni,
    output logic trigger_o
);

  localparam int unsigned CountBits = PeriodCycles > 1 ? $clog2(PeriodCycles) : 1;
  localparam logic [CountBits-1:0] LastCount = CountBits'(PeriodCycles - 1);

  logic [CountBits-1:0] count_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else count_q <= trigger_o ? '0 : count_q + 1'b1;
  end

  assign trigger_o = count_q >= LastCount;

endmodule
