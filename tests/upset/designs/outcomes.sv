// SPDX-License-Identifier: Apache-2.0
// One register for each way an upset can end, so that its outcome is known by its name.
module outcomes (
  input  logic       clk_i,
  input  logic       rst_ni,
  output logic       accepted_o,
  output logic [15:0] data_o,
  output logic       alarm_o,
  output logic       corrected_o,
  output logic       safe_o,
  output logic       unsafe_o
);
  logic [7:0] silent_q;
  logic [3:0] detected_q, replica_a_q, replica_b_q, replica_c_q, voted;
  logic outage_parity_q, outage_safe_q, hang_q, latent_q, masked_q, unsafe_q;
  logic [1:0] timing_q;

  assign voted = (replica_a_q & replica_b_q) | (replica_b_q & replica_c_q) | (replica_a_q & replica_c_q);
  assign accepted_o = hang_q && timing_q == '0;
  assign data_o = {silent_q, detected_q, voted};
  assign alarm_o = ^{detected_q, outage_parity_q};
  assign corrected_o = replica_a_q != voted || replica_b_q != voted || replica_c_q != voted;
  assign safe_o = outage_safe_q;
  assign unsafe_o = unsafe_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      silent_q        <= '0;
      detected_q      <= '0;
      outage_parity_q <= '0;
      outage_safe_q   <= '0;
      replica_a_q     <= '0;
      replica_b_q     <= '0;
      replica_c_q     <= '0;
      hang_q          <= 1'b1;
      latent_q        <= '0;
      masked_q        <= '0;
      unsafe_q        <= '0;
      timing_q        <= '0;
    end else begin
      timing_q    <= timing_q + 1'b1;
      masked_q    <= 1'b0;
      hang_q      <= hang_q;
      latent_q    <= latent_q;
      unsafe_q    <= unsafe_q;
      outage_safe_q <= outage_safe_q;
      replica_a_q <= voted + 4'(accepted_o);
      replica_b_q <= voted + 4'(accepted_o);
      replica_c_q <= voted + 4'(accepted_o);
      if (accepted_o) begin
        silent_q        <= silent_q + 1'b1;
        detected_q      <= detected_q + 1'b1;
        outage_parity_q <= ^(detected_q + 4'd1);
      end
    end
  end
endmodule
