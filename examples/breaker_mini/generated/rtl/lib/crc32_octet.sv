// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// One octet of CRC-32 as in IEEE 802.3, reflected: what zlib and `binascii.crc32` compute.
//
// Combinational. The owner keeps the register: all ones before the first octet; the value after the last one is
// inverted. Check value of "123456789": 32'hcbf43926.

module crc32_octet (
    input  logic [31:0] crc_i,
    input  logic [ 7:0] octet_i,
    output logic [31:0] crc_o
);

  localparam logic [31:0] Polynomial = 32'hedb88320;

  always_comb begin
    crc_o = crc_i ^ {24'd0, octet_i};
    for (int unsigned i = 0; i < 8; i++) begin
      crc_o = {1'b0, crc_o[31:1]} ^ (crc_o[0] ? Polynomial : 32'd0);
    end
  end

endmodule
