// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The words of the engine: 1,024 of 16 bits, each with the check bits of the Hsiao code (22,16).
//
// A read corrects one flipped bit and tells it; the word stays as it is until the program writes it back, which its
// patrol does. Two flipped bits are told and the word comes as it is. Content survives a reset: the program decides
// what of it still counts.
//
// SEU_MIT: ENGINE.RAM.SECDED

module engine_ram #(
    parameter int unsigned AddressBits = 10
) (
    input  logic                   clk_i,
    input  logic [AddressBits-1:0] address_i,
    input  logic                   write_i,
    input  logic [           15:0] word_i,
    output logic [           15:0] word_o,         // The clock after its address.
    input  logic                   read_i,         // The word is used in this clock.
    output logic                   corrected_o,
    output logic                   uncorrectable_o
);

  logic [21:0] stored, codeword;
  logic [ 5:0] unused_syndrome;
  logic is_corrected, is_uncorrectable;

  hsiao_22_16_enc u_enc (
      .data_i    (word_i),
      .codeword_o(codeword)
  );

  ecc_ram_array #(
      .CodewordBits(22),
      .Words       (1 << AddressBits)
  ) u_array (
      .clk_i,
      .read_i   (!write_i),
      .write_i,
      .address_i,
      .wdata_i  (codeword),
      .rdata_o  (stored)
  );

  hsiao_22_16_dec u_dec (
      .codeword_i     (stored),
      .data_o         (word_o),
      .syndrome_o     (unused_syndrome),
      .corrected_o    (is_corrected),
      .uncorrectable_o(is_uncorrectable)
  );

  assign corrected_o     = read_i && is_corrected;
  assign uncorrectable_o = read_i && is_uncorrectable;

endmodule
