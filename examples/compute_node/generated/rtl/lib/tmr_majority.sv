// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Bitwise majority of three replicas of a word, each bit in a look-up table of its own.
//
// The boundary keeps voters of equal inputs apart, which synthesis would merge into one: three replicas then hung on
// one voter. It tells nothing; who wants to know which replica was outvoted compares it with majority_o.
//
// SEU_MIT: TMR_MAJORITY.WORD.VOTE

(* keep_hierarchy = "yes" *)
module tmr_majority #(
    parameter int unsigned Width = 1
) (
    input  logic [Width-1:0] a_i,
    input  logic [Width-1:0] b_i,
    input  logic [Width-1:0] c_i,
    output logic [Width-1:0] majority_o
);

  assign majority_o = (a_i & b_i) | (b_i & c_i) | (a_i & c_i);

endmodule
