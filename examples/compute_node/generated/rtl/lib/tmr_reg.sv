// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// A register in three replicas with a voter, which heals itself: while nothing is written, every replica takes the
// voted value back in each clock, so that an upset lasts one clock and cannot meet a second one.
//
// SEU_MIT: TMR_REG.REG.TMR

module tmr_reg #(
    parameter int unsigned Width = 1,
    parameter logic [Width-1:0] ResetValue = '0
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             write_i,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o,
    output logic             upset_o  // A replica was outvoted; it is right again after the next clock.
);

  logic [Width-1:0] replica_q[3];
  logic [Width-1:0] replica_d;

  assign replica_d = write_i ? d_i : q_o;

  for (genvar index = 0; index < 3; index++) begin : gen_replica
    kept_reg #(
        .Width     (Width),
        .ResetValue(ResetValue)
    ) u_replica (
        .clk_i,
        .rst_ni,
        .d_i(replica_d),
        .q_o(replica_q[index])
    );
  end

  tmr_voter #(
      .Width(Width)
  ) u_voter (
      .a_i       (replica_q[0]),
      .b_i       (replica_q[1]),
      .c_i       (replica_q[2]),
      .majority_o(q_o),
      .mismatch_o(upset_o)
  );

endmodule
