// SPDX-License-Identifier: Apache-2.0
// Stands in for a payload: its pins are driven by commands on the UART.
//
// 'C' level: flash chip select. 'O' octet: exchanged with the flash, mode 0, answered with what came.
// 'B' octet: its first bit alone is exchanged. 'E' octet: enables of rails 0 to 7; starts a counter,
// which stops when power good or over-current moves. 'T': answers power good and over-current of
// rails 0 to 7 and the counter (32 bits, big endian).

module pins_twin #(
    parameter int unsigned ClockHz = 12_000_000,
    parameter int unsigned BaudDivisor = 16,
    parameter logic [63:0] BuildId = '0
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        boot_select_i,
    input  logic        uart_rx_i,
    output logic        uart_tx_o,
    output logic        flash_sck_o,
    output logic        flash_cs_no,
    output logic        flash_mosi_o,
    input  logic        flash_miso_i,
    output logic [63:0] rail_enable_o,
    input  logic [63:0] rail_power_good_i,
    input  logic [63:0] rail_over_current_i
);

  logic rx_valid, tx_ready;
  logic [7:0] rx_data;
  logic [7:0] command_q, shift_q;
  logic [4:0] edges_q;
  logic [2:0] answers_q;
  logic [47:0] answer_q;
  logic [31:0] count_q;
  logic count_runs_q;
  logic [15:0] lines, lines_q;

  test_uart #(
      .BaudDivisor(BaudDivisor)
  ) u_uart (
      .clk_i,
      .rst_ni,
      .rx_i(uart_rx_i),
      .tx_o(uart_tx_o),
      .rx_valid_o(rx_valid),
      .rx_data_o(rx_data),
      .rx_break_o(),
      .tx_valid_i(answers_q != '0),
      .tx_ready_o(tx_ready),
      .tx_data_i(answer_q[47:40])
  );

  assign lines = {rail_power_good_i[7:0], rail_over_current_i[7:0]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      command_q <= '0;
      shift_q <= '0;
      edges_q <= '0;
      answers_q <= '0;
      answer_q <= '0;
      count_q <= '0;
      count_runs_q <= 1'b0;
      lines_q <= '0;
      flash_sck_o <= 1'b0;
      flash_cs_no <= 1'b1;
      flash_mosi_o <= 1'b0;
      rail_enable_o <= '0;
    end else begin
      lines_q <= lines;
      if (count_runs_q) count_q <= count_q + 1'b1;
      if (lines != lines_q) count_runs_q <= 1'b0;
      if (answers_q != '0 && tx_ready) begin
        answers_q <= answers_q - 1'b1;
        answer_q <= answer_q << 8;
      end
      if (edges_q != '0) begin
        edges_q <= edges_q - 1'b1;
        flash_sck_o <= !flash_sck_o;
        if (!flash_sck_o) shift_q <= {shift_q[6:0], flash_miso_i};
        else flash_mosi_o <= shift_q[7];
        if (edges_q == 5'd1 && command_q == "O") begin
          answers_q <= 3'd1;
          answer_q[47:40] <= shift_q;
        end
        if (edges_q == 5'd1) command_q <= '0;
      end else if (rx_valid && command_q == '0) begin
        command_q <= rx_data;
        if (rx_data == "T") begin
          command_q <= '0;
          answers_q <= 3'd6;
          answer_q <= {lines_q, count_q};
        end
      end else if (rx_valid) begin
        command_q <= '0;
        unique case (command_q)
          "C": flash_cs_no <= rx_data[0];
          "E": begin
            rail_enable_o[7:0] <= rx_data;
            count_q <= '0;
            count_runs_q <= 1'b1;
          end
          "O", "B": begin
            command_q <= command_q;
            shift_q <= rx_data;
            flash_mosi_o <= rx_data[7];
            edges_q <= command_q == "O" ? 5'd16 : 5'd2;
          end
          default: ;
        endcase
      end
    end
  end

  logic unused;
  assign unused = ^{ClockHz[0], BuildId[0], boot_select_i, rail_power_good_i, rail_over_current_i};

endmodule
