// SPDX-License-Identifier: Apache-2.0
// An ECC memory with its clock of 50 MHz, in a time unit of 1 ns. The module under test is named by the macro MEMORY.
module memory_harness #(
    parameter  int unsigned DataBits            = 32,
    parameter  int unsigned CheckBits           = 7,
    parameter  int unsigned AddressBits         = 8,
    parameter  int unsigned ScrubIntervalClocks = 16,
    localparam int unsigned CodewordBits        = DataBits + CheckBits
) (
    input  logic                    rst_ni,
    input  logic                    request_i,
    input  logic                    write_i,
    input  logic [ AddressBits-1:0] address_i,
    input  logic [    DataBits-1:0] wdata_i,
    output logic                    grant_o,
    output logic                    rvalid_o,
    output logic [    DataBits-1:0] rdata_o,
    output logic                    rcorrected_o,
    output logic                    runcorrectable_o,
    input  logic                    inject_valid_i,
    input  logic [CodewordBits-1:0] inject_mask_i,
    input  logic                    scrub_enable_i,
    input  logic                    clear_counters_i,
    output logic                    init_done_o,
    output logic                    stuck_o,
    output logic [            15:0] corrected_count_o,
    output logic [            15:0] uncorrectable_count_o,
    output logic [            15:0] stuck_count_o,
    output logic [            15:0] scrub_pass_count_o,
    output logic [            15:0] last_error_address_o
);

  logic clk;

  initial begin
    clk = 1'b0;
    forever #10 clk = ~clk;
  end

  `MEMORY #(
      .ScrubIntervalClocks(ScrubIntervalClocks)
  ) u_memory (
      .clk_i(clk),
      .*
  );

endmodule
