// SPDX-License-Identifier: Apache-2.0
// Two clocks, both edges, every kind of reset, signed numbers, shifts, a memory written by halves.
package mixed_pkg;
  typedef struct packed {
    logic signed [5:0] level;
    logic [2:0] mode;
  } state_t;
endpackage

module mixed_stage #(
    parameter int unsigned Width = 4
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             load_i,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);
  always_ff @(posedge clk_i or posedge rst_i) begin
    if (rst_i) q_o <= Width'(5);
    else if (load_i) q_o <= d_i;
  end
endmodule

module mixed
  import mixed_pkg::*;
(
    input  logic              clk_i,
    input  logic              slow_clk_i,
    input  logic              rst_ni,
    input  logic              rst_i,
    input  logic signed [5:0] in_i,
    input  logic        [2:0] amount_i,
    input  logic        [1:0] select_i,
    input  logic              flag_i,
    input  logic        [1:0] halves_i,
    output logic signed [5:0] level_o,
    output logic        [9:0] product_o,
    output logic        [3:0] stage_o,
    output logic              below_o,
    output logic              flag_o,
    output logic              slow_o,
    output logic        [5:0] word_o,
    output logic        [7:0] picked_o,
    output logic              initial_o
);

  state_t state_q, state_d;
  logic [1:0] sync_q;
  logic slow_q, first_q;
  logic [5:0] memory[6];
  logic [9:0] product_q;
  logic [3:0] stage[3];
  logic [2:0] place_q = 3'd2;
  logic [5:0] falling_q;

  assign level_o   = state_q.level;
  assign below_o   = state_q.level < in_i;
  assign product_o = product_q;
  assign flag_o    = sync_q[1];
  assign stage_o   = stage[2];
  assign slow_o    = slow_q;
  assign word_o    = memory[place_q];
  assign initial_o = place_q[0];
  assign picked_o  = {falling_q[amount_i[1:0]+:2], falling_q};

  always_comb begin
    state_d = state_q;
    unique case (state_q.mode)
      3'd0: if (select_i[0]) state_d.level = in_i >>> amount_i;
      3'd1: state_d.level = state_q.level - in_i;
      3'd2: state_d.level = 6'(state_q.level <<< 1);
      3'd3: state_d.level = in_i % 6'sd5;
      default: state_d.level = state_q.level;
    endcase
    if (select_i == 2'd3) state_d.mode = state_q.mode + 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= '{level: -6'sd3, mode: '0};
      product_q <= '0;
    end else begin
      state_q <= state_d;
      if (flag_o) product_q <= 10'(state_q.level * in_i);
    end
  end

  always_ff @(posedge clk_i) begin
    sync_q <= {sync_q[0], flag_i};
    if (halves_i[0]) memory[place_q][2:0] <= in_i[2:0];
    if (halves_i[1]) memory[place_q][5:3] <= in_i[5:3];
    if (select_i[1]) place_q <= place_q == 3'd5 ? '0 : place_q + 1'b1;
  end

  always_ff @(negedge clk_i) if (flag_i) falling_q <= {falling_q[3:0], select_i};

  always_ff @(posedge slow_clk_i) begin
    first_q <= state_q.mode[0];
    slow_q  <= first_q;
  end

  for (genvar index = 0; index < 3; index++) begin : gen_stage
    mixed_stage u_stage (
        .clk_i,
        .rst_i,
        .load_i(select_i[0]),
        .d_i   (index == 0 ? in_i[3:0] : stage[(index+2)%3]),
        .q_o   (stage[index])
    );
  end

endmodule
