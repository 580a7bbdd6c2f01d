// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Time as a CCSDS unsegmented time code: whole seconds and units of 2^-16 s, from zero at reset, or from what was set.
//
// Exact at any clock: n clocks after reset the time is floor(n * 65536 / ClockHz) units. The phase grows
// by 65536 a clock and a unit is complete whenever ClockHz fits into it, so no rounding is ever
// carried along. ClockHz is 65536 or more. An upset of the phase costs at most one unit; an upset
// of the time itself stays until reset and shows as a jump in the telemetry.

module cuc_time #(
    parameter int unsigned ClockHz = 50_000_000
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        set_i,     // One clock: the time of the next clock is that of the two inputs.
    input  logic [31:0] coarse_i,  // s
    input  logic [15:0] fine_i,    // 2^-16 s
    output logic [31:0] coarse_o,  // s
    output logic [15:0] fine_o     // 2^-16 s
);

  localparam int unsigned UnitsPerSecond = 65536;
  localparam int unsigned PhaseBits = $clog2(ClockHz + UnitsPerSecond);
  localparam logic [PhaseBits-1:0] Step = PhaseBits'(UnitsPerSecond);
  localparam logic [PhaseBits-1:0] Modulus = PhaseBits'(ClockHz);

  logic [PhaseBits-1:0] phase_q, phase_sum;
  logic                 is_unit_complete;
  logic [47:0]          time_q;

  assign phase_sum        = phase_q + Step;
  assign is_unit_complete = phase_sum >= Modulus;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      phase_q <= '0;
      time_q  <= '0;
    end else if (set_i) begin
      phase_q <= '0;
      time_q  <= {coarse_i, fine_i};
    end else begin
      phase_q <= is_unit_complete ? phase_sum - Modulus : phase_sum;
      time_q  <= time_q + 48'(is_unit_complete);
    end
  end

  assign {coarse_o, fine_o} = time_q;

endmodule
