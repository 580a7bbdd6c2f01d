// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// What the cells of the power sequencer share: states and their codes, causes of a fault, responses to it.

package rail_pkg;

  // As telemetry and registers number them.
  typedef enum logic [2:0] {
    StateOff    = 3'd0,
    StateRamp   = 3'd1,  // Enabled, waits for power good.
    StateSettle = 3'd2,  // Power is good; "on" follows.
    StateOn     = 3'd3,
    StateDrain  = 3'd4,  // Switched off, waits for power good to fall.
    StateFault  = 3'd5   // Switched off until the faults are cleared.
  } state_e;

  typedef enum logic [2:0] {
    CauseNone        = 3'd0,
    CauseRampEarly   = 3'd1,
    CauseRampTimeout = 3'd2,
    CausePgLost      = 3'd3,
    CauseOc          = 3'd4,
    CauseStuckOn     = 3'd5,
    CauseUpset       = 3'd6
  } cause_e;

  typedef enum logic [1:0] {
    Ignore,    // Report only.
    KillRail,  // The rail off at once.
    KillTree,  // The rail and all that depend on it off at once.
    KillBoard  // The tree at once, the other switched rails in reverse order; then halted.
  } response_e;

  // How a state is stored: any two codes differ in 3 bits or more, none is all-zero or all-one, and no two bits are
  // equal or inverse in all six.
  localparam int unsigned CodeBits = 6;
  localparam logic [CodeBits-1:0] CodeOff = 6'b000001;
  localparam logic [CodeBits-1:0] CodeRamp = 6'b000110;
  localparam logic [CodeBits-1:0] CodeSettle = 6'b011000;
  localparam logic [CodeBits-1:0] CodeOn = 6'b011111;
  localparam logic [CodeBits-1:0] CodeDrain = 6'b101010;
  localparam logic [CodeBits-1:0] CodeFault = 6'b101101;

  // By state_e.
  localparam int unsigned States = 6;
  localparam logic [States-1:0][CodeBits-1:0] StateCodes = {
    CodeFault, CodeDrain, CodeOn, CodeSettle, CodeRamp, CodeOff
  };

endpackage
