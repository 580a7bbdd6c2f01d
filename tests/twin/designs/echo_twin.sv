// SPDX-License-Identifier: Apache-2.0
// Stands in for a payload: sends every octet back. After reset it sends '!' ('?' with the boot select
// high), on a break '~'.

module echo_twin #(
    parameter int unsigned ClockHz = 12_000_000,
    parameter int unsigned BaudDivisor = 16,
    parameter logic [63:0] BuildId = '0
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        boot_select_i,
    input  logic        uart_rx_i,
    output logic        uart_tx_o,
    output logic        flash_sck_o,
    output logic        flash_cs_no,
    output logic        flash_mosi_o,
    input  logic        flash_miso_i,
    output logic [63:0] rail_enable_o,
    input  logic [63:0] rail_power_good_i,
    input  logic [63:0] rail_over_current_i
);

  logic rx_valid, rx_break, tx_ready;
  logic [7:0] rx_data;
  logic [7:0] queue_q[16];
  logic [3:0] head_q, tail_q;
  logic said_q;

  test_uart #(
      .BaudDivisor(BaudDivisor)
  ) u_uart (
      .clk_i,
      .rst_ni,
      .rx_i(uart_rx_i),
      .tx_o(uart_tx_o),
      .rx_valid_o(rx_valid),
      .rx_data_o(rx_data),
      .rx_break_o(rx_break),
      .tx_valid_i(head_q != tail_q),
      .tx_ready_o(tx_ready),
      .tx_data_i(queue_q[tail_q])
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
      said_q <= 1'b0;
    end else begin
      said_q <= 1'b1;
      if (rx_valid || rx_break || !said_q) begin
        head_q <= head_q + 1'b1;
        queue_q[head_q] <= !said_q ? (boot_select_i ? "?" : "!") : rx_break ? "~" : rx_data;
      end
      if (head_q != tail_q && tx_ready) tail_q <= tail_q + 1'b1;
    end
  end

  assign flash_sck_o = 1'b0;
  assign flash_cs_no = 1'b1;
  assign flash_mosi_o = ClockHz[0] ^ BuildId[0];
  assign rail_enable_o = '0;

  logic unused;
  assign unused = ^{flash_miso_i, rail_power_good_i, rail_over_current_i};

endmodule
