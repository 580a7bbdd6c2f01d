// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Brings one asynchronous pin into the clock domain, two clocks later.
//
// An upset here looks like a pulse of one clock on the pin: whoever reads it filters pulses that short.

module sync_2ff (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic pin_i,
    output logic level_o
);

  (* async_reg = "true" *) logic [1:0] stage_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) stage_q <= '0;
    else stage_q <= {stage_q[0], pin_i};
  end

  assign level_o = stage_q[1];

endmodule
