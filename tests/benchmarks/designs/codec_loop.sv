// SPDX-License-Identifier: Apache-2.0
// A generated encoder and decoder with a flip between them. ENCODER and DECODER name the modules.
module codec_loop #(
  parameter int unsigned DataBits     = 64,
  parameter int unsigned CodewordBits = 72
) (
  input  logic [DataBits-1:0]     data_i,
  input  logic [CodewordBits-1:0] flips_i,
  output logic [DataBits-1:0]     data_o,
  output logic                    corrected_o,
  output logic                    uncorrectable_o
);
  logic [CodewordBits-1:0] codeword;
  /* verilator lint_off PINMISSING */ // The syndrome is not looked at.
  `ENCODER u_encoder (.data_i, .codeword_o(codeword));
  `DECODER u_decoder (.codeword_i(codeword ^ flips_i), .data_o, .corrected_o, .uncorrectable_o);
endmodule
