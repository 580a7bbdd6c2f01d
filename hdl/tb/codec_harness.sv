// SPDX-License-Identifier: Apache-2.0
// One encoder and one decoder, swept over every single flip of a codeword.
//
// Each change of start_i starts a sweep, one nanosecond per lane: lane j flips bit j of the codeword on
// top of a mask common to all lanes, the last lane flips nothing more. With a mask of one bit the lanes
// are all double flips that hold that bit. The answers stand in the outputs, one slice a lane, when
// done_o changes.
//
// The modules under test are named by the macros CODEC_ENCODER and CODEC_DECODER.
module codec_harness #(
  parameter  int unsigned DataBits  = 64,
  parameter  int unsigned CheckBits = 8,
  localparam int unsigned CodewordBits = DataBits + CheckBits,
  localparam int unsigned Lanes        = CodewordBits + 1
) (
  input  logic                             start_i,
  input  logic [DataBits-1:0]              data_i,
  input  logic [CodewordBits-1:0]          mask_i,
  output logic [CodewordBits-1:0]          codeword_o,
  output logic [Lanes-1:0][DataBits-1:0]   data_o,
  output logic [Lanes-1:0][CheckBits-1:0]  syndrome_o,
  output logic [Lanes-1:0]                 corrected_o,
  output logic [Lanes-1:0]                 uncorrectable_o,
  output logic                             done_o
);
  logic [CodewordBits-1:0] flip;
  logic [DataBits-1:0]     data;
  logic [CheckBits-1:0]    syndrome;
  logic                    corrected, uncorrectable;

  `CODEC_ENCODER u_encoder (
    .data_i,
    .codeword_o
  );

  `CODEC_DECODER u_decoder (
    .codeword_i     (codeword_o ^ mask_i ^ flip),
    .data_o         (data),
    .syndrome_o     (syndrome),
    .corrected_o    (corrected),
    .uncorrectable_o(uncorrectable)
  );

  initial begin : sweep
    done_o = '0;
    forever begin
      @(start_i);
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        flip = lane < CodewordBits ? CodewordBits'(1) << lane : '0;
        #1;
        data_o[lane]          = data;
        syndrome_o[lane]      = syndrome;
        corrected_o[lane]     = corrected;
        uncorrectable_o[lane] = uncorrectable;
      end
      done_o = ~done_o;
    end
  end

endmodule
