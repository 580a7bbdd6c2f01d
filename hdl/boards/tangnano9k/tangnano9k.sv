// SPDX-License-Identifier: Apache-2.0
// The payload on a Tang Nano 9K, whose FPGA is not made to load another bitstream. Button S2 is boot select, button S1 resets.

module tangnano9k (
    input  logic       clk,
    input  logic       reset_n,
    input  logic       boot_n,
    input  logic       rx,
    output logic       tx,
    output logic [3:0] led_n,
    output logic [3:0] rail_enable,
    input  logic [3:0] rail_power_good,
    input  logic [3:0] rail_over_current
);

  logic rst_n, flash_sck, flash_cs_n, flash_mosi, warm_boot;
  logic [3:0] warm_boot_slot;
  logic [63:0] enable;

  power_on_reset u_reset (
      .clk_i  (clk),
      .reset_i(!reset_n),
      .rst_no (rst_n)
  );

  board_payload #(
      .ClockHz(27_000_000)
  ) u_payload (
      .clk_i              (clk),
      .rst_ni             (rst_n),
      .boot_select_i      (!boot_n),
      .uart_rx_i          (rx),
      .uart_tx_o          (tx),
      .flash_sck_o        (flash_sck),
      .flash_cs_no        (flash_cs_n),
      .flash_mosi_o       (flash_mosi),
      .flash_miso_i       (1'b1),
      .warm_boot_slots_i  ('0),
      .warm_boot_o        (warm_boot),
      .warm_boot_slot_o   (warm_boot_slot),
      .rail_enable_o      (enable),
      .rail_power_good_i  ({60'b0, rail_power_good}),
      .rail_over_current_i({60'b0, rail_over_current})
  );

  assign rail_enable = enable[3:0];
  assign led_n = ~enable[3:0];

  // Profile small has no flash of its own.
  logic unused;
  assign unused = &{flash_sck, flash_cs_n, flash_mosi, warm_boot, warm_boot_slot, enable[63:4]};

endmodule
