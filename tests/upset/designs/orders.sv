// SPDX-License-Identifier: Apache-2.0
// Upsets that do several things one after the other; the worst of them, in a register's name, counts.
module orders (
  input  logic       clk_i,
  input  logic       rst_ni,
  output logic       accepted_o,
  output logic [7:0] data_o,
  output logic       alarm_o,
  output logic       unsafe_o
);
  logic unsafe_after_hang_q, silent_after_hang_q, hang_after_alarm_q;
  logic detected_late_q;  // The alarm comes five clocks after the first wrong data.
  logic silent_lost_q;      // One transfer is lost, and the next clock's state is right again.
  logic is_upset;
  logic [6:0] since_q;  // Clocks since the upset, up to the last.
  logic [7:0] value_q;

  assign is_upset   = unsafe_after_hang_q || silent_after_hang_q || hang_after_alarm_q || detected_late_q;
  assign accepted_o = !(silent_lost_q || unsafe_after_hang_q || (silent_after_hang_q && since_q < 7'd70)
                        || (hang_after_alarm_q && since_q > 7'd4));
  assign unsafe_o   = unsafe_after_hang_q && since_q == 7'd80;
  assign alarm_o    = (hang_after_alarm_q && since_q < 7'd3) || (detected_late_q && since_q == 7'd5);
  assign data_o     = value_q ^ {8{silent_after_hang_q || hang_after_alarm_q || detected_late_q}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      unsafe_after_hang_q <= 1'b0;
      silent_after_hang_q <= 1'b0;
      hang_after_alarm_q  <= 1'b0;
      detected_late_q     <= 1'b0;
      silent_lost_q       <= 1'b0;
      since_q             <= '0;
      value_q             <= '0;
    end else begin
      unsafe_after_hang_q <= unsafe_after_hang_q;
      silent_after_hang_q <= silent_after_hang_q;
      hang_after_alarm_q  <= hang_after_alarm_q;
      detected_late_q     <= detected_late_q;
      silent_lost_q       <= 1'b0;
      if (is_upset && since_q != '1) since_q <= since_q + 1'b1;
      if (accepted_o || silent_lost_q) value_q <= value_q + 1'b1;
    end
  end
endmodule
