// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Takes the octets of a line apart into frames: consistent overhead byte stuffing (Cheshire and Baker, 1999), delimiter
// 0x00.
//
// A frame ends at the delimiter; empty frames between two delimiters are passed over. is_bad_o tells at the end that the
// frame broke off within a block or that the line spoilt an octet of it. Nothing is buffered: whoever stores the octets
// drops them then.
//
// Upsets: the next delimiter starts anew, so at most one frame is lost.

module cobs_decoder (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       valid_i,
    input  logic [7:0] octet_i,
    input  logic       spoilt_i,  // The line brought something that is no octet. Not with valid_i.
    output logic       valid_o,
    output logic [7:0] octet_o,
    output logic       end_o,
    output logic       is_bad_o   // With end_o.
);

  localparam logic [7:0] Delimiter = 8'h00;
  localparam logic [7:0] LongestBlock = 8'hff;

  logic [7:0] left_q;  // Octets of the block still to come.
  logic is_open_q, is_zero_due_q, is_spoilt_q;
  logic is_code;

  assign is_code  = valid_i && octet_i != Delimiter && left_q == 8'd0;
  assign valid_o  = valid_i && octet_i != Delimiter && (left_q != 8'd0 || is_zero_due_q);
  assign octet_o  = is_code ? 8'h00 : octet_i;
  assign end_o    = valid_i && octet_i == Delimiter && (is_open_q || is_spoilt_q);
  assign is_bad_o = is_spoilt_q || left_q != 8'd0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q        <= '0;
      is_open_q     <= 1'b0;
      is_zero_due_q <= 1'b0;
      is_spoilt_q   <= 1'b0;
    end else if (spoilt_i) begin
      is_spoilt_q <= 1'b1;
    end else if (valid_i && octet_i == Delimiter) begin
      left_q        <= '0;
      is_open_q     <= 1'b0;
      is_zero_due_q <= 1'b0;
      is_spoilt_q   <= 1'b0;
    end else if (is_code) begin
      left_q        <= octet_i - 8'd1;
      is_open_q     <= 1'b1;
      is_zero_due_q <= octet_i != LongestBlock;
    end else if (valid_i) begin
      left_q <= left_q - 8'd1;
    end
  end

endmodule
