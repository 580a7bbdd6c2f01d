// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// One octet of the packet error control of CCSDS and PUS: CRC-16, x^16 + x^12 + x^5 + 1, most
// significant bit first.
//
// Combinational. The owner keeps the register: 16'hffff before the first octet (ECSS-E-ST-70-41C
// annex B.1.5); the value after the last octet is sent as it is, most significant octet first.
// Check value of "123456789": 16'h29b1.

module crc16_octet (
    input  logic [15:0] crc_i,
    input  logic [ 7:0] octet_i,
    output logic [15:0] crc_o
);

  localparam logic [15:0] Polynomial = 16'h1021;

  always_comb begin
    crc_o = crc_i ^ {octet_i, 8'h00};
    for (int unsigned i = 0; i < 8; i++) begin
      crc_o = {crc_o[14:0], 1'b0} ^ (crc_o[15] ? Polynomial : 16'h0000);
    end
  end

endmodule
