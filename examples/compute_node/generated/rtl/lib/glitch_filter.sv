// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Follows a level once it has been there for RiseClocks (or FallClocks) clocks without a break.
//
// The counter runs only while pin and output differ, so an upset of it can at most shorten one change that is already
// under way. The output itself is voted, or kept twice with the pin as witness: an upset of it would look like a lost
// supply, and does so with neither.
//
// SEU_MIT: GLITCH_FILTER.LEVEL.WITNESS
// SEU_MIT: GLITCH_FILTER.LEVEL.TMR

module glitch_filter #(
    parameter int unsigned RiseClocks = 3,
    parameter int unsigned FallClocks = 3,
    parameter bit Triplicate = 1'b1,
    parameter bit Witnessed = 1'b0
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic pin_i,    // In this clock domain.
    output logic level_o,
    output logic upset_o
);

  localparam int unsigned MostClocks = RiseClocks > FallClocks ? RiseClocks : FallClocks;
  localparam int unsigned CountBits = $clog2(MostClocks + 1);

  logic [CountBits-1:0] count_q, last;
  logic differs, follow;

  assign last    = CountBits'(level_o ? FallClocks - 1 : RiseClocks - 1);
  assign differs = pin_i != level_o;
  assign follow  = differs && count_q >= last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else if (!differs || follow) count_q <= '0;
    else count_q <= count_q + 1'b1;
  end

  tmr_reg #(
      .Triplicate(Triplicate),
      .Witnessed (Witnessed)
  ) u_level (
      .clk_i,
      .rst_ni,
      .write_i  (follow),
      .d_i      (pin_i),
      .witness_i(pin_i),
      .q_o      (level_o),
      .upset_o
  );

endmodule
