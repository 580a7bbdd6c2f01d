// SPDX-License-Identifier: Apache-2.0
// A first-in first-out buffer with valid/ready on both sides. It knows nothing of fw-tools.
module fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  localparam int unsigned PointerBits = $clog2(Depth);
  localparam logic [PointerBits-1:0] Last = PointerBits'(Depth - 1);

  logic [Width-1:0] memory[Depth];
  logic [PointerBits-1:0] head_q, tail_q;
  logic [PointerBits:0] count_q;
  logic take, give;

  assign in_ready_o  = count_q != (PointerBits + 1)'(Depth);
  assign out_valid_o = count_q != '0;
  assign out_data_o  = memory[head_q];
  assign take        = in_valid_i && in_ready_o;
  assign give        = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q  <= '0;
      tail_q  <= '0;
      count_q <= '0;
    end else begin
      if (take) tail_q <= tail_q == Last ? '0 : tail_q + 1'b1;
      if (give) head_q <= head_q == Last ? '0 : head_q + 1'b1;
      if (take != give) count_q <= take ? count_q + 1'b1 : count_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) memory[tail_q] <= in_data_i;
  end
endmodule
