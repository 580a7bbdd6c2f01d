// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Exchanges octets with an SPI device, mode 0, most significant bit first, at half the clock.
//
// Upsets: a flipped count makes one octet longer or shorter; the next select starts anew.

module spi_octets (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       start_i,   // While not busy.
    input  logic [7:0] octet_i,
    output logic       is_busy_o,
    output logic [7:0] octet_o,   // What came in, when no longer busy.
    output logic       sck_o,
    output logic       mosi_o,
    input  logic       miso_i     // Settled half a bit after the falling edge of sck_o.
);

  localparam logic [4:0] HalfBits = 5'd16;

  logic [4:0] left_q;
  logic [7:0] shift_q;
  logic       sck_q, miso_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q  <= '0;
      shift_q <= '0;
      sck_q   <= 1'b0;
      miso_q  <= 1'b0;
    end else if (start_i && !is_busy_o) begin
      left_q  <= HalfBits;
      shift_q <= octet_i;
      sck_q   <= 1'b0;
    end else if (is_busy_o) begin
      left_q <= left_q - 1'b1;
      sck_q  <= left_q[0] == 1'b0;
      if (left_q[0]) shift_q <= {shift_q[6:0], miso_q};
      else miso_q <= miso_i;
    end else begin
      sck_q <= 1'b0;
    end
  end

  assign is_busy_o = left_q != '0;
  assign octet_o   = shift_q;
  assign sck_o     = sck_q;
  assign mosi_o    = shift_q[7];

endmodule
