// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Bitwise majority voter for three replicas of a word.
//
// A single-event upset in one replica does not reach majority_o: a bit of it is one function of three inputs, so one
// look-up table whose output stands still while only one input moves. mismatch_o tells the owner that a replica was
// outvoted. Two replicas upset in the same bit win the vote; a transient in the voter itself reaches majority_o.
//
// SEU_MIT: TMR_VOTER.WORD.VOTE

(* keep_hierarchy = "yes" *)
module tmr_voter #(
    parameter int unsigned Width = 1
) (
    input  logic [Width-1:0] a_i,
    input  logic [Width-1:0] b_i,
    input  logic [Width-1:0] c_i,
    output logic [Width-1:0] majority_o,
    output logic             mismatch_o
);

  assign majority_o = (a_i & b_i) | (b_i & c_i) | (a_i & c_i);
  assign mismatch_o = (a_i != b_i) || (b_i != c_i);

endmodule
