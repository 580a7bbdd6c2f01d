// SPDX-License-Identifier: Apache-2.0
// Ticks since the rail entered its state; stays at its highest value.
//
// A stored parity bit shows an upset. The count then goes on from resume_i, which the owner chooses so that an interval
// is never cut short; it may become longer. Without Parity an upset moves the count, either way, and is not told.
//
// SEU_MIT: RAIL_TIMER.CTR.PARITY

module rail_timer #(
    parameter int unsigned Bits = 16,
    parameter bit Parity = 1'b1
) (
    input  logic            clk_i,
    input  logic            rst_ni,
    input  logic            tick_i,
    input  logic            restart_i,
    input  logic [Bits-1:0] resume_i,
    output logic [Bits-1:0] count_o,
    output logic            upset_o
);

  logic [Bits-1:0] count_q, count_d;
  logic parity_q, parity_d;

  kept_reg #(
      .Width(Bits + 1)
  ) u_count (
      .clk_i,
      .rst_ni,
      .d_i({parity_d, count_d}),
      .q_o({parity_q, count_q})
  );

  assign upset_o = Parity && ^{parity_q, count_q};
  assign count_o = upset_o ? resume_i : count_q;

  always_comb begin
    count_d  = count_q;
    parity_d = parity_q;
    if (restart_i) begin
      count_d  = '0;
      parity_d = 1'b0;
    end else if (tick_i || upset_o) begin
      count_d  = count_o + Bits'(tick_i && !(&count_o));
      parity_d = ^count_d;
    end
  end

endmodule
