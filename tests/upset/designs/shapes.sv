// SPDX-License-Identifier: Apache-2.0
// Registers and memories of every shape that a declaration has, and resets that logic makes.
package shapes_pkg;
  typedef struct packed {
    logic [2:0] upper;
    logic       lower;
  } pair_t;
  typedef enum logic [1:0] {
    PhaseIdle = 2'b01,
    PhaseRun  = 2'b10
  } phase_e;
endpackage

module shapes_leaf (
  input  logic       clk_i,
  input  logic       rst_ni,
  input  logic [3:0] value_i,
  output logic [3:0] value_o
);
  always_ff @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) value_o <= '0;
    else value_o <= value_i;
endmodule

module shapes
  import shapes_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [9:0]  value_i,
  input  logic        enable_i,
  output logic [31:0] data_o,
  output logic        accepted_o,
  output logic        alarm_o
);
  pair_t pair_q;
  phase_e phase_q;
  logic [1:7] rising_q;
  logic [9:3] high_q;
  logic [1:0][2:0] nest_q;
  logic [69:0] wide_q;
  logic [3:0] words_q[2:5];  // All read at once: no memory.
  logic [3:0] leaf[2];
  logic [3:0] up[1:4];
  logic [3:0] down[4:1];
  logic [1:0] grid[1:2][4:2];
  logic [2:0] deep[2][3:0];
  logic sync_q, reset_nq, kill_q, held_n;
  logic [2:0] held_q, killed_q;

  for (genvar i = 0; i < 2; i++) begin : gen_leaf
    logic [1:0] local_q;
    shapes_leaf u_leaf (
      .clk_i,
      .rst_ni,
      .value_i(value_i[4*i+:4] ^ 4'(local_q)),
      .value_o(leaf[i])
    );
    always_ff @(posedge clk_i) local_q <= local_q + value_i[1:0];
  end

  always_ff @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) {sync_q, reset_nq} <= '0;
    else {sync_q, reset_nq} <= {1'b1, sync_q};
  always_ff @(posedge clk_i) kill_q <= value_i[3:0] == 4'd9;
  assign held_n = reset_nq && !(kill_q && pair_q.lower);
  always_ff @(posedge clk_i or negedge held_n)
    if (!held_n) held_q <= 3'd5;
    else held_q <= held_q + 3'(value_i[0]);
  always_ff @(posedge clk_i or posedge kill_q)
    if (kill_q) killed_q <= 3'd2;
    else killed_q <= killed_q + 3'd1;

  always_ff @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      pair_q   <= '0;
      phase_q  <= PhaseIdle;
      rising_q <= '0;
      high_q   <= '0;
      nest_q   <= '0;
      wide_q   <= 70'd1;
      words_q  <= '{default: '0};
    end else begin
      pair_q   <= pair_t'(value_i[3:0]);
      phase_q  <= phase_q == PhaseIdle ? PhaseRun : PhaseIdle;
      rising_q <= {rising_q[2:7], value_i[0]};
      high_q   <= high_q + 7'(value_i);
      nest_q   <= {nest_q[0], value_i[2:0]};
      wide_q   <= {wide_q[68:0], wide_q[69]};
      if (enable_i) begin
        words_q[2] <= value_i[3:0];
        for (int i = 3; i <= 5; i++) words_q[i] <= words_q[i-1];
      end
    end

  always_ff @(posedge clk_i) begin
    if (enable_i) up[value_i[1:0]+3'd1] <= value_i[5:2];
    if (value_i[4]) up[value_i[3:2]+3'd1] <= value_i[9:6];  // Wins.
    if (value_i[9]) down[value_i[1:0]+3'd1][value_i[8:7]] <= value_i[2];
    if (value_i[8]) deep[value_i[0]][value_i[2:1]] <= value_i[5:3];
    grid[1][4] <= value_i[1:0];
    grid[1][3] <= grid[1][4];
    grid[1][2] <= grid[1][3];
    grid[2][4] <= grid[1][2];
    grid[2][3] <= grid[2][4];
    grid[2][2] <= grid[2][3];
  end

  assign data_o = {4'(pair_q), rising_q, high_q, nest_q, 8'b0} ^ 32'(wide_q) ^ 32'(words_q[5])
      ^ (32'(up[value_i[9:8]+3'd1]) << 4) ^ (32'(down[value_i[7:6]+3'd1]) << 8)
      ^ (32'(grid[2][2]) << 12) ^ (32'(deep[value_i[9]][value_i[7:6]]) << 14)
      ^ (32'(leaf[0]) << 17) ^ (32'(leaf[1]) << 21) ^ (32'(held_q) << 24) ^ (32'(killed_q) << 27)
      ^ (32'(gen_leaf[1].local_q) << 30);
  assign accepted_o = phase_q == PhaseRun;
  assign alarm_o = phase_q != PhaseRun && phase_q != PhaseIdle;
endmodule
