// SPDX-License-Identifier: Apache-2.0
// The state of a machine, stored as a code word; outside of this cell states are numbers.
//
// A stored word with at most Corrected flipped bits is read as the state that it was: state_o never shows the upset,
// and the next clock stores a whole code word again. That takes code words 2 * Corrected + 1 apart: 3 for one flip, 5
// for two. A word that is near none has lost its state: lost_o says so, and state_o is Safe; the owner decides what
// else is to be done. More flips may be read as another state.
//
// Not Coded, the number itself is stored: a flip is another state, or none.
//
// SEU_MIT: FSM_REG.STATE.SPARSE

module fsm_reg #(
    parameter int unsigned States = 2,
    parameter int unsigned CodeBits = 3,
    parameter logic [States-1:0][CodeBits-1:0] Codes = '0,  // By the number of the state.
    parameter logic [$clog2(States)-1:0] Reset = '0,
    parameter logic [$clog2(States)-1:0] Safe = '0,
    parameter int unsigned Corrected = 1,  // Flips that are put right.
    parameter bit Coded = 1'b1,
    localparam int unsigned StateBits = $clog2(States)
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic [StateBits-1:0] next_i,
    output logic [StateBits-1:0] state_o,
    output logic                 corrected_o,
    output logic                 lost_o
);

  localparam int unsigned Bits = Coded ? CodeBits : StateBits;
  localparam int unsigned MostFlips = Coded ? Corrected : 0;

  function automatic logic [Bits-1:0] word(int unsigned state);
    return Coded ? Bits'(Codes[state]) : Bits'(state);
  endfunction

  function automatic int unsigned least_distance();
    int unsigned least = Bits;
    for (int unsigned one = 0; one < States; one++) begin
      for (int unsigned other = 0; other < one; other++) begin
        if ($countones(word(one) ^ word(other)) < least) least = $countones(word(one) ^ word(other));
      end
    end
    return least;
  endfunction

  if (least_distance() <= 2 * MostFlips) begin : gen_codes_too_near
    $error("fsm_reg: the code words are not far enough apart to correct so many flips");
  end

  logic [Bits-1:0] code_d, code_q;

  always_comb begin
    code_d = word(32'(Safe));
    for (int unsigned state = 0; state < States; state++) begin
      if (next_i == StateBits'(state)) code_d = word(state);
    end
  end

  kept_reg #(
      .Width     (Bits),
      .ResetValue(word(32'(Reset)))
  ) u_code (
      .clk_i,
      .rst_ni,
      .d_i(code_d),
      .q_o(code_q)
  );

  // One table from the stored word to all outputs: simulators look it up.
  always_comb begin
    state_o     = Safe;
    corrected_o = 1'b0;
    lost_o      = 1'b1;
    for (int unsigned state = 0; state < States; state++) begin
      if ($countones(code_q ^ word(state)) <= MostFlips) begin
        state_o     = StateBits'(state);
        corrected_o = code_q != word(state);
        lost_o      = 1'b0;
      end
    end
  end

endmodule
