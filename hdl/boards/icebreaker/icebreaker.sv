// SPDX-License-Identifier: Apache-2.0
// The payload on an iCEBreaker. The user button is boot select; the other one configures the FPGA anew.

module icebreaker (
    input  logic       clk,
    input  logic       btn_n,
    input  logic       rx,
    output logic       tx,
    output logic       led_r_n,
    output logic       led_g_n,
    output logic [3:0] rail_enable,
    input  logic [3:0] rail_power_good,
    input  logic [3:0] rail_over_current
);

  logic rst_n, flash_sck, flash_cs_n, flash_mosi;
  logic [63:0] enable;

  power_on_reset u_reset (
      .clk_i  (clk),
      .reset_i(1'b0),
      .rst_no (rst_n)
  );

  board_payload #(
      .ClockHz(12_000_000)
  ) u_payload (
      .clk_i              (clk),
      .rst_ni             (rst_n),
      .boot_select_i      (!btn_n),
      .uart_rx_i          (rx),
      .uart_tx_o          (tx),
      .flash_sck_o        (flash_sck),
      .flash_cs_no        (flash_cs_n),
      .flash_mosi_o       (flash_mosi),
      .flash_miso_i       (1'b1),
      .rail_enable_o      (enable),
      .rail_power_good_i  ({60'b0, rail_power_good}),
      .rail_over_current_i({60'b0, rail_over_current})
  );

  assign rail_enable = enable[3:0];
  assign led_g_n = enable[3:0] != '1;  // All rails are on.
  assign led_r_n = enable[3:0] == '0;  // Some are.

  // Profile small has no flash of its own: the FPGA's keeps the bitstream.
  logic unused;
  assign unused = &{flash_sck, flash_cs_n, flash_mosi, enable[63:4]};

endmodule
