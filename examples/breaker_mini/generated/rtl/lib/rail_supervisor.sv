// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// What the rails of one board have in common: the request to be on, the halt after a grave fault, the first fault, and
// the counters of upsets.
//
// A fault with the response KillBoard, or a rail whose state is lost, withdraws the request in the same clock and
// halts the board until clear_i. A lost state also takes every switched rail down at once. A fault in the clock of
// clear_i counts as a new one. With HardenFsm the halt is kept twice, and stays where they differ; an upset of the first
// fault stays until clear_i, and one of a counter until reset. With HardenNone one of the halt may end it.

module rail_supervisor
  import harden_pkg::*;
  import rail_pkg::*;
#(
    parameter int unsigned Rails = 1,
    parameter harden_e Harden = HardenTmr
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    input  logic                power_up_i,
    input  logic                clear_i,
    input  cause_e [Rails-1:0]  cause_i,               // Per rail, in the clock in which it is seen.
    input  logic   [Rails-1:0]  kill_board_i,
    input  logic   [Rails-1:0]  lost_i,
    input  logic   [Rails-1:0]  corrected_i,
    output logic                request_o,             // The switched rails shall be on.
    output logic                kill_switched_o,       // Switched rails off at once.
    output logic                halted_o,
    output logic                first_fault_valid_o,
    output logic         [ 7:0] first_fault_rail_o,    // 255: none. Of several in one clock, the lowest.
    output logic         [ 7:0] first_fault_cause_o,   // As cause_e.
    output logic         [15:0] upsets_corrected_o,    // At most one per rail and clock.
    output logic         [15:0] upsets_uncorrectable_o
);

  localparam int unsigned RailBits = Rails > 1 ? $clog2(Rails) : 1;
  localparam int unsigned FaultBits = RailBits + $bits(cause_e);

  localparam bit Triplicate = Harden == HardenTmr;

  logic halt, halted_upset;

  assign kill_switched_o = |lost_i;
  assign halt            = |kill_board_i || |lost_i;
  assign request_o       = power_up_i && !halted_o && !halt;

  // SEU_MIT: RAIL_SUPERVISOR.HALTED.WITNESS
  // SEU_MIT: RAIL_SUPERVISOR.HALTED.TMR
  tmr_reg #(
      .Triplicate(Triplicate),
      .Witnessed (Harden != HardenNone)
  ) u_halted (
      .clk_i,
      .rst_ni,
      .write_i  (halt || clear_i),
      .d_i      (halt),
      .witness_i(1'b1),
      .q_o      (halted_o),
      .upset_o  (halted_upset)
  );

  // --- First fault --------------------------------------------------------------------------------

  logic fault_seen, first_fault_upset;
  logic [RailBits-1:0] rail, first_rail;
  cause_e cause, first_cause;

  always_comb begin
    fault_seen = 1'b0;
    rail       = '0;
    cause      = CauseNone;
    for (int unsigned index = 0; index < Rails; index++) begin
      if (!fault_seen && cause_i[index] != CauseNone) begin
        fault_seen = 1'b1;
        rail       = RailBits'(index);
        cause      = cause_i[index];
      end
    end
  end

  // SEU_MIT: RAIL_SUPERVISOR.FIRST_FAULT.TMR
  tmr_reg #(
      .Width     (FaultBits),
      .Triplicate(Triplicate)
  ) u_first_fault (
      .clk_i,
      .rst_ni,
      .write_i  (clear_i || !first_fault_valid_o),
      .d_i      ({cause, rail}),
      .witness_i('0),
      .q_o      ({first_cause, first_rail}),
      .upset_o  (first_fault_upset)
  );

  assign first_fault_valid_o = first_cause != CauseNone;
  assign first_fault_rail_o  = first_fault_valid_o ? 8'(first_rail) : '1;
  assign first_fault_cause_o = 8'(first_cause);

  // --- Upsets -------------------------------------------------------------------------------------

  // SEU_MIT: RAIL_SUPERVISOR.UPSETS.TMR
  event_counter #(
      .Events    (Rails + 1),
      .Triplicate(Triplicate)
  ) u_corrected (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .event_i({halted_upset || first_fault_upset, corrected_i}),
      .count_o(upsets_corrected_o)
  );

  event_counter #(
      .Events    (Rails),
      .Triplicate(Triplicate)
  ) u_uncorrectable (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .event_i(lost_i),
      .count_o(upsets_uncorrectable_o)
  );

endmodule
