// SPDX-License-Identifier: Apache-2.0
// The payload on an iCEBreaker, with the flash that the FPGA is configured from. The user button is boot select; the other
// one configures the FPGA anew.

module icebreaker (
    input  logic       clk,
    input  logic       btn_n,
    input  logic       rx,
    output logic       tx,
    output logic       flash_sck,
    output logic       flash_csn,
    output logic       flash_mosi,
    input  logic       flash_miso,
    output logic       led_r_n,
    output logic       led_g_n,
    output logic [3:0] rail_enable,
    input  logic [3:0] rail_power_good,
    input  logic [3:0] rail_over_current
);

  logic rst_n, warm_boot;
  logic [3:0] warm_boot_slot;
  logic [15:0] warm_boot_slots;
  logic [63:0] enable;

  power_on_reset u_reset (
      .clk_i  (clk),
      .reset_i(1'b0),
      .rst_no (rst_n)
  );

  warm_boot u_warm_boot (
      .request_i(warm_boot),
      .slot_i   (warm_boot_slot),
      .slots_o  (warm_boot_slots)
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
      .flash_cs_no        (flash_csn),
      .flash_mosi_o       (flash_mosi),
      .flash_miso_i       (flash_miso),
      .warm_boot_slots_i  (warm_boot_slots),
      .warm_boot_o        (warm_boot),
      .warm_boot_slot_o   (warm_boot_slot),
      .rail_enable_o      (enable),
      .rail_power_good_i  ({60'b0, rail_power_good}),
      .rail_over_current_i({60'b0, rail_over_current})
  );

  assign rail_enable = enable[3:0];
  assign led_g_n = enable[3:0] != '1;  // All rails are on.
  assign led_r_n = enable[3:0] == '0;  // Some are.

  logic unused;
  assign unused = &enable[63:4];

endmodule
