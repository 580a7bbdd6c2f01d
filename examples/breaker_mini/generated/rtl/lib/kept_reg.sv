// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// A register that synthesis keeps as it is written.
//
// Replicas hold equal values and a hardened state code holds redundant bits: to an optimiser both look like waste. The
// boundary of this module hides the equality, so that every bit is still a flip-flop of its own afterwards. It corrects
// nothing by itself.
//
// SEU_MIT: KEPT_REG.SYNTHESIS.KEEP

(* keep_hierarchy = "yes" *)
module kept_reg #(
    parameter int unsigned Width = 1,
    parameter logic [Width-1:0] ResetValue = '0
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);

  (* keep = "true" *) logic [Width-1:0] stored_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) stored_q <= ResetValue;
    else stored_q <= d_i;
  end

  assign q_o = stored_q;

endmodule
