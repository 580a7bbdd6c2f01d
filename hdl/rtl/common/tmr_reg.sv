// SPDX-License-Identifier: Apache-2.0
// A register in three replicas with a voter, which heals itself: while nothing is written, every replica takes the
// voted value back in each clock, so that an upset lasts one clock and cannot meet a second one.
//
// Without Triplicate but Witnessed it has two replicas, and witness_i has the third voice: what the owner knows the
// value to be, or to which side it is safe to err. One flip is outvoted where the witness is right, else it turns the
// register to the witness's side; a wrong witness alone changes nothing.
//
// With neither it is one plain register: an upset of it stays until it is written, and is not told.
//
// SEU_MIT: TMR_REG.REG.TMR
// SEU_MIT: TMR_REG.REG.WITNESS

module tmr_reg #(
    parameter int unsigned Width = 1,
    parameter logic [Width-1:0] ResetValue = '0,
    parameter bit Triplicate = 1'b1,
    parameter bit Witnessed = 1'b0
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             write_i,
    input  logic [Width-1:0] d_i,
    input  logic [Width-1:0] witness_i,  // Heard where there are two replicas.
    output logic [Width-1:0] q_o,
    output logic             upset_o     // A replica was outvoted; it is right again after the next clock.
);

  localparam int unsigned Replicas = Triplicate ? 3 : Witnessed ? 2 : 0;

  logic [Width-1:0] replica_d;

  assign replica_d = write_i ? d_i : q_o;

  for (genvar index = 0; index < Replicas; index++) begin : gen_replica
    logic [Width-1:0] stored;

    kept_reg #(
        .Width     (Width),
        .ResetValue(ResetValue)
    ) u_replica (
        .clk_i,
        .rst_ni,
        .d_i(replica_d),
        .q_o(stored)
    );
  end

  if (Triplicate) begin : gen_voter
    logic unused_witness;
    assign unused_witness = ^witness_i;

    tmr_voter #(
        .Width(Width)
    ) u_voter (
        .a_i       (gen_replica[0].stored),
        .b_i       (gen_replica[1].stored),
        .c_i       (gen_replica[2].stored),
        .majority_o(q_o),
        .mismatch_o(upset_o)
    );
  end else if (Witnessed) begin : gen_witness
    tmr_majority #(
        .Width(Width)
    ) u_voter (
        .a_i       (gen_replica[0].stored),
        .b_i       (gen_replica[1].stored),
        .c_i       (witness_i),
        .majority_o(q_o)
    );
    assign upset_o = gen_replica[0].stored != gen_replica[1].stored;
  end else begin : gen_plain
    logic unused_witness;
    assign unused_witness = ^witness_i;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) q_o <= ResetValue;
      else q_o <= replica_d;
    end
    assign upset_o = 1'b0;
  end

endmodule
