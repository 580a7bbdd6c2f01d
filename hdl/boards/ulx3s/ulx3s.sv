// SPDX-License-Identifier: Apache-2.0
// The payload on a ULX3S.

// Leads a clock to the configuration flash once the FPGA is configured (Lattice FPGA-TN-02039).
(* blackbox *)
module USRMCLK (
    input logic USRMCLKI,
    input logic USRMCLKTS
);
endmodule

module ulx3s (
    input  logic       clk_25mhz,
    input  logic       ftdi_txd,   // From the host.
    output logic       ftdi_rxd,   // To the host.
    input  logic       ftdi_ndtr,
    input  logic       ftdi_nrts,
    output logic       flash_csn,
    output logic       flash_mosi,
    input  logic       flash_miso,
    output logic       flash_holdn,
    output logic       flash_wpn,
    output logic       user_programn,  // Of a board from version 2.0.5 on.
    output logic [7:0] led,
    output logic [7:0] rail_enable,
    input  logic [7:0] rail_power_good,
    input  logic [7:0] rail_over_current
);

  logic rst_n, flash_sck, warm_boot;
  logic [3:0] warm_boot_slot;
  logic [15:0] warm_boot_slots;
  logic [63:0] enable;

  power_on_reset u_reset (
      .clk_i  (clk_25mhz),
      .reset_i(!ftdi_ndtr),
      .rst_no (rst_n)
  );

  USRMCLK u_flash_clock (
      .USRMCLKI (flash_sck),
      .USRMCLKTS(1'b0)
  );

  warm_boot u_warm_boot (
      .request_i (warm_boot),
      .slot_i    (warm_boot_slot),
      .slots_o   (warm_boot_slots),
      .programn_o(user_programn)
  );

  board_payload #(
      .ClockHz(25_000_000)
  ) u_payload (
      .clk_i              (clk_25mhz),
      .rst_ni             (rst_n),
      .boot_select_i      (!ftdi_nrts),
      .uart_rx_i          (ftdi_txd),
      .uart_tx_o          (ftdi_rxd),
      .flash_sck_o        (flash_sck),
      .flash_cs_no        (flash_csn),
      .flash_mosi_o       (flash_mosi),
      .flash_miso_i       (flash_miso),
      .warm_boot_slots_i  (warm_boot_slots),
      .warm_boot_o        (warm_boot),
      .warm_boot_slot_o   (warm_boot_slot),
      .rail_enable_o      (enable),
      .rail_power_good_i  ({56'b0, rail_power_good}),
      .rail_over_current_i({56'b0, rail_over_current})
  );

  assign {flash_holdn, flash_wpn} = '1;
  assign rail_enable = enable[7:0];
  assign led = enable[7:0];

  logic unused;
  assign unused = &enable[63:8];

endmodule
