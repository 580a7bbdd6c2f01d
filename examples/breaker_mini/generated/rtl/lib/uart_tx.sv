// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Sends octets on an asynchronous line: one start bit, eight data bits (least significant first), one stop bit.
//
// Upsets: the bits still to be sent are marked by a one behind them that is shifted out last, so the line is idle again
// after at most ten bits, whatever flips.

module uart_tx #(
    parameter int unsigned Divisor = 16  // Clocks a bit.
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       valid_i,
    output logic       ready_o,
    input  logic [7:0] octet_i,
    output logic       tx_o  // High when idle.
);

  localparam int unsigned CountBits = $clog2(Divisor);
  localparam logic [CountBits-1:0] LastCount = CountBits'(Divisor - 1);

  logic [CountBits-1:0] count_q;
  logic [          9:0] shift_q;  // The bit on the line is the lowest; a one marks the end.
  logic                 tx_q;
  logic                 is_bit_over;

  assign is_bit_over = count_q >= LastCount;
  assign ready_o     = shift_q == 10'd0 && is_bit_over;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
      shift_q <= '0;
      tx_q    <= 1'b1;
    end else if (valid_i && ready_o) begin
      count_q <= '0;
      shift_q <= {1'b1, 1'b1, octet_i};  // Marker and stop bit.
      tx_q    <= 1'b0;  // Start bit.
    end else if (!is_bit_over) begin
      count_q <= count_q + 1'b1;
    end else if (shift_q > 10'd1) begin
      count_q <= '0;
      shift_q <= shift_q >> 1;
      tx_q    <= shift_q[0];
    end else begin
      shift_q <= '0;
      tx_q    <= 1'b1;
    end
  end

  assign tx_o = tx_q;

endmodule
