// SPDX-License-Identifier: Apache-2.0
// The state of one rail in a code of distance 3.
//
// With CorrectUpsets a code with one flipped bit is read as the state it was: state_o never shows the upset, and the
// next clock stores a whole code again. Without it, and for a word that is near no code, the state is lost: lost_o says
// so and state_o is StateFault; the owner decides what is safe. A second upset in the same clock may be read as
// another state.
//
// SEU_MIT: RAIL_STATE.FSM.SPARSE

module rail_state
  import rail_pkg::*;
#(
    parameter bit CorrectUpsets = 1'b1
) (
    input  logic   clk_i,
    input  logic   rst_ni,
    input  state_e next_i,
    output state_e state_o,
    output logic   corrected_o,
    output logic   lost_o
);

  logic [CodeBits-1:0] code_q;

  kept_reg #(
      .Width     (CodeBits),
      .ResetValue(CodeOff)
  ) u_code (
      .clk_i,
      .rst_ni,
      .d_i(StateCodes[next_i]),
      .q_o(code_q)
  );

  // One table from the stored word to all outputs: simulators look it up.
  if (CorrectUpsets) begin : gen_nearest
    always_comb begin
      lost_o      = 1'b0;
      corrected_o = !(code_q inside {CodeOff, CodeRamp, CodeSettle, CodeOn, CodeDrain, CodeFault});
      unique case (1'b1)
        $onehot0(code_q ^ CodeOff):    state_o = StateOff;
        $onehot0(code_q ^ CodeRamp):   state_o = StateRamp;
        $onehot0(code_q ^ CodeSettle): state_o = StateSettle;
        $onehot0(code_q ^ CodeOn):     state_o = StateOn;
        $onehot0(code_q ^ CodeDrain):  state_o = StateDrain;
        $onehot0(code_q ^ CodeFault):  state_o = StateFault;
        default: begin
          state_o     = StateFault;
          lost_o      = 1'b1;
          corrected_o = 1'b0;
        end
      endcase
    end
  end else begin : gen_exact
    assign corrected_o = 1'b0;

    always_comb begin
      lost_o = 1'b0;
      unique case (code_q)
        CodeOff:    state_o = StateOff;
        CodeRamp:   state_o = StateRamp;
        CodeSettle: state_o = StateSettle;
        CodeOn:     state_o = StateOn;
        CodeDrain:  state_o = StateDrain;
        CodeFault:  state_o = StateFault;
        default: begin
          state_o = StateFault;
          lost_o  = 1'b1;
        end
      endcase
    end
  end

endmodule
