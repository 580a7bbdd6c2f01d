// SPDX-License-Identifier: Apache-2.0
// A power sequencer with its clock in HDL, and all it shows in one vector: one read a clock.
//
// The module under test is named by the macro SEQUENCER. Inputs change and outputs are read while clk is low.
module sequencer_harness #(
  parameter int unsigned Rails      = 1,
  parameter int unsigned TicksPerUs = 1,
  parameter int unsigned TimeScale  = 1
) (
  input logic             rst_ni,
  input logic             power_up_i,
  input logic             clear_faults_i,
  input logic [Rails-1:0] pg_i,
  input logic [Rails-1:0] oc_i
);
  logic [Rails-1:0]      enable, on, faulted, late;
  logic [8*Rails-1:0]    state;
  logic                  first_fault_valid, halted;
  logic [7:0]            first_fault_rail, first_fault_cause;
  logic [15:0]           upsets_corrected, upsets_uncorrectable;
  logic [12*Rails+49:0]  observed;
  logic [12*Rails+49:0]  observed_q;
  int unsigned           changes;         // Of anything observed, from clock to clock.
  int unsigned           enable_changes;  // Of an enable, at any moment.

  logic clk;
  initial begin : clock
    clk = 1'b0;
    forever #500ps clk = ~clk;
  end

  `SEQUENCER #(
    .TicksPerUs(TicksPerUs),
    .TimeScale (TimeScale)
  ) u_sequencer (
    .clk_i                 (clk),
    .rst_ni,
    .power_up_i,
    .clear_faults_i,
    .pg_i,
    .oc_i,
    .enable_o              (enable),
    .on_o                  (on),
    .faulted_o             (faulted),
    .late_o                (late),
    .state_o               (state),
    .first_fault_valid_o   (first_fault_valid),
    .first_fault_rail_o    (first_fault_rail),
    .first_fault_cause_o   (first_fault_cause),
    .upsets_corrected_o    (upsets_corrected),
    .upsets_uncorrectable_o(upsets_uncorrectable),
    .halted_o              (halted)
  );

  assign observed = {
    halted, upsets_uncorrectable, upsets_corrected, first_fault_cause, first_fault_rail, first_fault_valid,
    state, late, faulted, on, enable
  };

  always_ff @(posedge clk) begin
    observed_q <= observed;
    if (observed != observed_q) changes <= changes + 1;
  end

  initial begin : count_enable_changes
    enable_changes = 0;
    forever @(enable) enable_changes = enable_changes + 1;
  end

endmodule
