// SPDX-License-Identifier: Apache-2.0
// One supply rail: from its enable pin through power good to "on", and down again, with a deadline on each step.
//
//   off -> ramp -> settle -> on -> drain -> off          fault -> drain on clear_i
//
// Times are in ticks since the state was entered. A tick falls anywhere within its period, so each limit is judged on
// its safe side: a minimum is never short, and a deadline is not missed before it has wholly passed.
//
// It answers: power good too early, late or never; power good lost; over-current; power good that does not fall; any
// upset of its state, its enable, its timer or its latches. It leaves to the sequencer what a fault does to others.
//
// With HardenFsm the enable and the level of power good are kept twice, with the state and the pin as third voice: an
// upset of them is outvoted. One of the over-current level looks like a change of its pin, and one of the fault latch
// stays until clear_i. With HardenNone an upset of the state is another state, and one of the enable moves its pin.
//
// The path from a pin to enable_o is two synchroniser stages, the filter and the enable register.

module rail_ctrl
  import harden_pkg::*;
  import rail_pkg::*;
#(
    parameter int unsigned RampMin = 0,         // Power good earlier than this is a fault.
    parameter int unsigned RampMax = 1,         // Power good later than this is reported.
    parameter int unsigned Timeout = 1,         // Power good later than this is a fault.
    parameter int unsigned Settle = 1,          // From power good to "on".
    parameter int unsigned OffTimeout = 1,      // Power good must have fallen by then.
    parameter int unsigned PgFilterClocks = 3,  // Shortest level of pg_i that counts; at least 3.
    parameter bit HasTrip = 1'b0,               // There is an over-current pin.
    parameter int unsigned OcBlankClocks = 3,   // Shortest pulse of oc_i that counts; at least 3.
    parameter bit KeepAlive = 1'b0,             // Stays as it is when its state is lost.
    parameter bit CorrectUpsets = 1'b1,
    parameter harden_e Harden = HardenTmr,
    parameter response_e OnRampEarly = KillTree,
    parameter response_e OnRampTimeout = KillTree,
    parameter response_e OnPgLost = KillTree,
    parameter response_e OnOc = KillTree,
    parameter response_e OnStuckOn = KillTree
) (
    input  logic   clk_i,
    input  logic   rst_ni,
    input  logic   tick_i,
    input  logic   pg_i,               // Pins, asynchronous.
    input  logic   oc_i,
    input  logic   want_i,             // This rail shall be on.
    input  logic   deps_on_i,          // Every rail that it comes after is on.
    input  logic   dependants_down_i,  // Every rail that comes after it is off and discharged.
    input  logic   kill_i,             // Off at once.
    input  logic   clear_i,            // Forget faults and reports.
    output logic   enable_o,
    output logic   on_o,
    output logic   down_o,             // Off and discharged, or given up on.
    output logic   faulted_o,          // A fault was seen since the last clear_i, ignored or not.
    output logic   late_o,             // Power good came after RampMax, likewise.
    output state_e state_o,
    output cause_e cause_o,            // A fault that is acted upon, in the clock in which it is seen.
    output logic   kill_tree_o,
    output logic   kill_board_o,
    output logic   lost_o,             // The state was beyond correction.
    output logic   corrected_o         // An upset was put right.
);

  function automatic int unsigned most(int unsigned left, int unsigned right);
    return left > right ? left : right;
  endfunction

  localparam int unsigned Longest = most(most(Timeout, Settle), most(RampMax, OffTimeout));
  localparam int unsigned TimerBits = $clog2(Longest + 2);  // Counts to one above the longest time.

  localparam bit Triplicate = Harden == HardenTmr;
  localparam bit Hardened = Harden != HardenNone;

  // --- Pins ---------------------------------------------------------------------------------------

  logic pg_level, power_good, over_current, pg_upset, oc_upset;

  sync_2ff u_pg_sync (
      .clk_i,
      .rst_ni,
      .pin_i  (pg_i),
      .level_o(pg_level)
  );

  glitch_filter #(
      .RiseClocks(most(PgFilterClocks, 3)),
      .FallClocks(most(PgFilterClocks, 3)),
      .Triplicate(Triplicate),
      .Witnessed (Hardened)
  ) u_pg_filter (
      .clk_i,
      .rst_ni,
      .pin_i  (pg_level),
      .level_o(power_good),
      .upset_o(pg_upset)
  );

  if (HasTrip) begin : gen_trip
    logic oc_level;

    sync_2ff u_oc_sync (
        .clk_i,
        .rst_ni,
        .pin_i  (oc_i),
        .level_o(oc_level)
    );

    glitch_filter #(
        .RiseClocks(most(OcBlankClocks, 3)),
        .FallClocks(1),
        .Triplicate(Triplicate)
    ) u_oc_filter (
        .clk_i,
        .rst_ni,
        .pin_i  (oc_level),
        .level_o(over_current),
        .upset_o(oc_upset)
    );
  end else begin : gen_no_trip
    logic unused_oc;
    assign unused_oc = oc_i;
    assign over_current = 1'b0;
    assign oc_upset = 1'b0;
  end

  // --- State --------------------------------------------------------------------------------------

  state_e next;
  logic [$bits(state_e)-1:0] stored_state;
  logic state_corrected, timer_upset, enable_upset, faulted_upset, late_upset, seen_late;
  logic [TimerBits-1:0] timer, limit;
  logic is_early, is_past;
  logic seen_early, seen_timeout, seen_pg_lost, seen_oc, seen_stuck_on;
  response_e response;

  // SEU_MIT: RAIL_CTRL.STATE.SPARSE
  fsm_reg #(
      .States   (States),
      .CodeBits (CodeBits),
      .Codes    (StateCodes),
      .Reset    (StateOff),
      .Safe     (StateFault),
      .Corrected(CorrectUpsets ? 1 : 0),
      .Coded    (Hardened)
  ) u_state (
      .clk_i,
      .rst_ni,
      .next_i     (next),
      .state_o    (stored_state),
      .corrected_o(state_corrected),
      .lost_o     (lost_o)
  );

  assign state_o = state_e'(stored_state);

  // After an upset of the timer a ramp counts on from RampMin: it may time out later, and is not called early. When the
  // state was lost a rail that is still ramping keeps its timer.
  rail_timer #(
      .Bits  (TimerBits),
      .Parity(Hardened)
  ) u_timer (
      .clk_i,
      .rst_ni,
      .tick_i,
      .restart_i(lost_o ? next != StateRamp : next != state_o),
      .resume_i (state_o == StateRamp ? TimerBits'(RampMin) : '0),
      .count_o  (timer),
      .upset_o  (timer_upset)
  );

  // The time that counts now. One comparator serves all but the start of the ramp window.
  always_comb begin
    unique case (state_o)
      StateRamp:   limit = power_good ? TimerBits'(RampMax) : TimerBits'(Timeout);
      StateSettle: limit = TimerBits'(Settle);
      default:     limit = TimerBits'(OffTimeout);
    endcase
  end

  assign is_past = timer > limit;

  // Nothing is early where RampMin is 0.
  // verilator lint_off UNSIGNED
  assign is_early = timer < TimerBits'(RampMin);
  // verilator lint_on UNSIGNED

  // What is seen, ignored or not.
  always_comb begin
    seen_early    = 1'b0;
    seen_late     = 1'b0;
    seen_timeout  = 1'b0;
    seen_pg_lost  = 1'b0;
    seen_stuck_on = 1'b0;
    unique case (state_o)
      StateRamp: begin
        seen_early   = power_good && is_early;
        seen_late    = power_good && is_past;
        seen_timeout = !power_good && is_past;
      end
      StateSettle, StateOn: seen_pg_lost = !power_good;
      StateDrain:           seen_stuck_on = power_good && is_past;
      default:              ;
    endcase
  end

  logic seen_any;
  assign seen_oc  = enable_o && over_current;
  assign seen_any = seen_early || seen_timeout || seen_pg_lost || seen_stuck_on || seen_oc || lost_o;

  // What is done about it. Over-current goes before what else is seen in the same clock, a lost state before all.
  always_comb begin
    response = Ignore;
    cause_o  = CauseNone;
    if (seen_any) begin
      if (seen_early) begin
        response = OnRampEarly;
        cause_o  = CauseRampEarly;
      end
      if (seen_timeout) begin
        response = OnRampTimeout;
        cause_o  = CauseRampTimeout;
      end
      if (seen_pg_lost) begin
        response = OnPgLost;
        cause_o  = CausePgLost;
      end
      if (seen_stuck_on) begin
        response = OnStuckOn;
        cause_o  = CauseStuckOn;
      end
      if (seen_oc && OnOc != Ignore) begin
        response = OnOc;
        cause_o  = CauseOc;
      end
      if (lost_o) begin
        response = KillRail;  // The sequencer kills the others.
        cause_o  = CauseUpset;
      end
      if (response == Ignore) cause_o = CauseNone;
    end
  end

  assign kill_tree_o  = response == KillTree || response == KillBoard;
  assign kill_board_o = response == KillBoard;

  always_comb begin
    next = state_o;
    unique case (state_o)
      StateOff:    if (want_i && deps_on_i && !kill_i) next = StateRamp;
      StateRamp:   if (power_good) next = StateSettle;
      StateSettle: if (is_past) next = StateOn;
      StateOn:     next = StateOn;
      StateDrain:  if (!power_good || seen_stuck_on) next = StateOff;
      StateFault:  if (clear_i) next = StateDrain;
      default:     next = StateFault;
    endcase
    if (enable_o && (kill_i || (!want_i && dependants_down_i))) next = StateDrain;
    if (response != Ignore) next = StateFault;
    if (lost_o && KeepAlive) begin
      // The voted enable still knows whether the rail was up; power good tells how far.
      if (enable_o) next = power_good ? StateSettle : StateRamp;
      else next = faulted_o ? StateFault : StateDrain;
    end
  end

  assign on_o   = state_o == StateOn;
  assign down_o = state_o == StateOff || (state_o == StateFault && (!power_good || is_past));

  // --- Enable pin and reports -----------------------------------------------------------------------

  // SEU_MIT: RAIL_CTRL.ENABLE.WITNESS
  // SEU_MIT: RAIL_CTRL.ENABLE.TMR
  tmr_reg #(
      .Triplicate(Triplicate),
      .Witnessed (Hardened)
  ) u_enable (
      .clk_i,
      .rst_ni,
      .write_i  (1'b1),
      .d_i      (next == StateRamp || next == StateSettle || next == StateOn),
      .witness_i(state_o == StateRamp || state_o == StateSettle || state_o == StateOn),
      .q_o      (enable_o),
      .upset_o  (enable_upset)
  );

  // SEU_MIT: RAIL_CTRL.FAULTED.TMR
  tmr_reg #(
      .Triplicate(Triplicate)
  ) u_faulted (
      .clk_i,
      .rst_ni,
      .write_i  (seen_any || clear_i),
      .d_i      (seen_any),
      .witness_i('0),
      .q_o      (faulted_o),
      .upset_o  (faulted_upset)
  );

  // Read by telemetry only.
  tmr_reg #(
      .Triplicate(Triplicate)
  ) u_late (
      .clk_i,
      .rst_ni,
      .write_i  (seen_late || clear_i),
      .d_i      (seen_late),
      .witness_i('0),
      .q_o      (late_o),
      .upset_o  (late_upset)
  );

  assign corrected_o = state_corrected || timer_upset || |{enable_upset, faulted_upset, late_upset, pg_upset, oc_upset};

endmodule
