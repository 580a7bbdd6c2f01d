// SPDX-License-Identifier: Apache-2.0
// Holds the reset for 16 clocks after configuration, and while it is asked for. Relies on registers that
// configuration sets to 0.

module power_on_reset (
    input  logic clk_i,
    input  logic reset_i,  // Asynchronous.
    output logic rst_no    // Released with the clock.
);

  logic [4:0] count_q = '0;
  logic [1:0] reset_q = '0;

  always_ff @(posedge clk_i) begin
    reset_q <= {reset_q[0], reset_i};
    if (reset_q[1]) count_q <= '0;
    else if (!count_q[4]) count_q <= count_q + 1'b1;
  end

  assign rst_no = count_q[4];

endmodule
