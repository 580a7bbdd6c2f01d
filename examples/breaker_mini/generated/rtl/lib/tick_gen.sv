// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// One clock of tick_o in every Clocks clocks.
//
// Counts down to zero from wherever it stands, so an upset moves one tick and never stops it.

module tick_gen #(
    parameter int unsigned Clocks = 50
) (
    input  logic clk_i,
    input  logic rst_ni,
    output logic tick_o
);

  if (Clocks == 1) begin : gen_always
    assign tick_o = rst_ni;
    logic unused_clk;
    assign unused_clk = clk_i;
  end else begin : gen_count
    localparam int unsigned CountBits = $clog2(Clocks);
    logic [CountBits-1:0] count_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q <= CountBits'(Clocks - 1);
      else if (tick_o) count_q <= CountBits'(Clocks - 1);
      else count_q <= count_q - 1'b1;
    end

    assign tick_o = count_q == '0;
  end

endmodule
