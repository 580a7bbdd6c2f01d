// SPDX-License-Identifier: Apache-2.0
// A plain 8N1 UART for designs that stand in for a payload: a receiver that samples once in the
// middle of a bit and tells breaks, and a transmitter.

module test_uart #(
    parameter int unsigned BaudDivisor = 16
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       rx_i,
    output logic       tx_o,
    output logic       rx_valid_o,
    output logic [7:0] rx_data_o,
    output logic       rx_break_o,
    input  logic       tx_valid_i,
    output logic       tx_ready_o,
    input  logic [7:0] tx_data_i
);

  localparam logic [15:0] Whole = 16'(BaudDivisor - 1);
  localparam logic [15:0] Half = 16'(BaudDivisor / 2 - 1);

  logic [1:0] sync_q;
  logic [15:0] rx_count_q, tx_count_q;
  logic [3:0] rx_bit_q, tx_bit_q;
  logic [7:0] rx_shift_q;
  logic [8:0] tx_shift_q;
  logic wait_high_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sync_q <= '1;
      rx_count_q <= '0;
      rx_bit_q <= '0;
      rx_shift_q <= '0;
      wait_high_q <= 1'b0;
      rx_valid_o <= 1'b0;
      rx_break_o <= 1'b0;
      rx_data_o <= '0;
    end else begin
      sync_q <= {sync_q[0], rx_i};
      rx_valid_o <= 1'b0;
      rx_break_o <= 1'b0;
      if (wait_high_q) wait_high_q <= !sync_q[1];
      else if (rx_bit_q == '0) begin
        if (!sync_q[1]) begin
          rx_bit_q <= 4'd1;
          rx_count_q <= Half;
        end
      end else if (rx_count_q != '0) rx_count_q <= rx_count_q - 1'b1;
      else begin
        rx_count_q <= Whole;
        rx_bit_q <= rx_bit_q + 1'b1;
        rx_shift_q <= {sync_q[1], rx_shift_q[7:1]};
        if (rx_bit_q == 4'd1 && sync_q[1]) rx_bit_q <= '0;
        if (rx_bit_q == 4'd10) begin
          rx_bit_q <= '0;
          rx_valid_o <= sync_q[1];
          rx_data_o <= rx_shift_q;
          rx_break_o <= !sync_q[1] && rx_shift_q == '0;
          wait_high_q <= !sync_q[1];
        end
      end
    end
  end

  assign tx_ready_o = tx_bit_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tx_o <= 1'b1;
      tx_bit_q <= '0;
      tx_count_q <= '0;
      tx_shift_q <= '1;
    end else if (tx_ready_o) begin
      if (tx_valid_i) begin
        tx_o <= 1'b0;
        tx_shift_q <= {1'b1, tx_data_i};
        tx_bit_q <= 4'd10;
        tx_count_q <= Whole;
      end
    end else if (tx_count_q != '0) tx_count_q <= tx_count_q - 1'b1;
    else begin
      // The stop bit leaves one clock early, which the next start bit takes: no pause on the line.
      tx_count_q <= tx_bit_q == 4'd2 ? Whole - 16'd1 : Whole;
      tx_bit_q <= tx_bit_q - 1'b1;
      tx_o <= tx_shift_q[0];
      tx_shift_q <= {1'b1, tx_shift_q[8:1]};
    end
  end

endmodule
