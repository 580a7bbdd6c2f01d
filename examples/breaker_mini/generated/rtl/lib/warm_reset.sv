// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The reset of a payload: that of the pin, and for some clocks whenever the link asks for one.
//
// Both begin at once and end with the clock. All state is voted: no single upset resets the payload, which would
// switch its rails off, and none keeps it from being reset. Without Triplicate an upset may reset it.
//
// SEU_MIT: RESET.REG.TMR

module warm_reset #(
    parameter bit Triplicate = 1'b1
) (
    input  logic clk_i,
    input  logic rst_ni,        // Asynchronous; cold.
    input  logic restart_i,     // One clock; warm.
    output logic rst_no,
    output logic was_restart_o  // The last reset was a warm one.
);

  localparam int unsigned Clocks = 4;

  logic [Clocks-1:0] delay;
  logic is_reset;
  logic [2:0] unused_upsets;

  tmr_reg #(
      .Width     (Clocks),
      .Triplicate(Triplicate)
  ) u_delay (
      .clk_i,
      .rst_ni,
      .write_i  (1'b1),
      .d_i      ({delay[Clocks-2:0], restart_i}),
      .witness_i('0),
      .q_o      (delay),
      .upset_o  (unused_upsets[0])
  );

  tmr_reg #(
      .Width     (1),
      .ResetValue(1'b1),
      .Triplicate(Triplicate)
  ) u_reset (
      .clk_i,
      .rst_ni,
      .write_i  (1'b1),
      .d_i      (|delay),
      .witness_i('0),
      .q_o      (is_reset),
      .upset_o  (unused_upsets[1])
  );

  tmr_reg #(
      .Width     (1),
      .Triplicate(Triplicate)
  ) u_was_restart (
      .clk_i,
      .rst_ni,
      .write_i  (restart_i),
      .d_i      (1'b1),
      .witness_i('0),
      .q_o      (was_restart_o),
      .upset_o  (unused_upsets[2])
  );

  assign rst_no = !is_reset;

endmodule
