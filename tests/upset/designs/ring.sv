// SPDX-License-Identifier: Apache-2.0
// A memory of four words: word t mod 4 is written in clock t and read in clock t + 3.
module ring #(
  parameter int unsigned Width = 72
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  output logic [Width-1:0] data_o
);
  logic [Width-1:0] memory[4];
  logic [1:0] write_q;
  logic [Width-1:0] value_q;

  assign data_o = memory[write_q+2'd1];
  always_ff @(posedge clk_i) memory[write_q] <= value_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      value_q <= Width'(1);
    end else begin
      write_q <= write_q + 1'b1;
      value_q <= {value_q[Width-2:0], value_q[Width-1]} ^ Width'(write_q);
    end
  end
endmodule
