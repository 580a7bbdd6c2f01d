// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Receives octets on an asynchronous line: one start bit, eight data bits (least significant first), one stop bit.
//
// Each bit is the majority of three samples around its middle, so that a glitch of one clock is outvoted. A stop bit
// that is low is a framing error; together with eight low data bits it is a break. After either the line has to go high
// before the next start bit counts. The receiver is ready again in the middle of the stop bit: a sender may be up to
// 4 % slow or fast at divisors from 16 on.
//
// Upsets: whatever flips, the bit counter runs on to the stop bit, so at most the octet in progress and the one after it
// are wrong; the check of the frame finds that.

module uart_rx #(
    parameter int unsigned Divisor = 16  // Clocks a bit, 8 or more.
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       rx_i,             // Asynchronous; high when idle.
    output logic       valid_o,          // One clock.
    output logic [7:0] octet_o,
    output logic       framing_error_o,  // One clock, instead of valid_o; also at a break.
    output logic       break_o           // One clock.
);

  localparam int unsigned CountBits = $clog2(Divisor);
  localparam logic [CountBits-1:0] LastCount = CountBits'(Divisor - 1);
  localparam logic [CountBits-1:0] Middle = CountBits'(Divisor / 2);
  localparam logic [3:0] StopBit = 4'd9;

  logic                 line, line_q;
  logic                 is_active_q;
  logic [CountBits-1:0] count_q;
  logic [          3:0] bit_q;
  logic [          7:0] shift_q;
  logic [          1:0] sample_q;
  logic                 level, is_decision, is_stop, is_false_start;

  sync_2ff u_sync_2ff (
      .clk_i,
      .rst_ni,
      .pin_i  (rx_i),
      .level_o(line)
  );

  assign level          = (line & sample_q[0]) | (line & sample_q[1]) | (sample_q[0] & sample_q[1]);
  assign is_decision    = is_active_q && count_q == Middle + 1'b1;
  assign is_stop        = is_decision && bit_q >= StopBit;
  assign is_false_start = is_decision && bit_q == 4'd0 && level;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      line_q      <= 1'b0;
      is_active_q <= 1'b0;
      count_q     <= '0;
      bit_q       <= '0;
      shift_q     <= '0;
      sample_q    <= '0;
    end else begin
      line_q   <= line;
      sample_q <= {sample_q[0], line};
      if (!is_active_q) begin
        is_active_q <= line_q && !line;
        count_q     <= '0;
        bit_q       <= '0;
      end else begin
        is_active_q <= !(is_stop || is_false_start);
        count_q     <= count_q >= LastCount ? '0 : count_q + 1'b1;
        bit_q       <= bit_q + 4'(count_q >= LastCount);
        if (is_decision && bit_q != 4'd0 && !is_stop) shift_q <= {level, shift_q[7:1]};
      end
    end
  end

  assign valid_o         = is_stop && level;
  assign octet_o         = shift_q;
  assign framing_error_o = is_stop && !level;
  assign break_o         = framing_error_o && shift_q == 8'h00;

endmodule
