// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The state of an ECC RAM in a code of distance 4.
//
// A code with one flipped bit is read as the state it was: state_o never shows the upset, and the next clock stores a
// whole code again. Two flipped bits are near no code and read as idle: never as a state that writes, so that they
// neither erase the memory nor restore a word to the wrong place. Three or more are not answered.
//
// SEU_MIT: ECC_RAM_STATE.FSM.SPARSE

module ecc_ram_state
  import ecc_ram_pkg::*;
(
    input  logic   clk_i,
    input  logic   rst_ni,
    input  state_e next_i,
    output state_e state_o
);

  logic [6:0] code_q;

  kept_reg #(
      .Width     ($bits(state_e)),
      .ResetValue(StateInit)
  ) u_code (
      .clk_i,
      .rst_ni,
      .d_i(next_i),
      .q_o(code_q)
  );

  always_comb begin
    unique case (1'b1)
      $onehot0(code_q ^ StateInit):    state_o = StateInit;
      $onehot0(code_q ^ StateRead):    state_o = StateRead;
      $onehot0(code_q ^ StateCheck):   state_o = StateCheck;
      $onehot0(code_q ^ StateRestore): state_o = StateRestore;
      $onehot0(code_q ^ StateReread):  state_o = StateReread;
      $onehot0(code_q ^ StateConfirm): state_o = StateConfirm;
      default:                         state_o = StateIdle;
    endcase
  end

endmodule
