// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// Reads a flag that is stored as one of two code words at distance 4, and writes it back when a bit
// has flipped.
//
// On is 4'h6, off is 4'h9. One flipped bit does not change the flag and is put right in the next
// clock through repair_o and code_o. Two flips leave a code that is equally far from both: the flag
// then takes SafeValue. The owner counts repair_o. It does not answer a bus write of a wrong value:
// that is repaired like an upset.
//
// SEU_MIT: CONTROL.REG.CODE

module guarded_flag #(
    parameter bit SafeValue = 1'b0
) (
    input  logic [3:0] code_i,
    output logic       flag_o,
    output logic       repair_o,
    output logic [3:0] code_o
);

  localparam logic [3:0] On = 4'h6;
  localparam logic [3:0] Off = 4'h9;

  always_comb begin
    unique case (code_i)
      4'h6, 4'h7, 4'h4, 4'h2, 4'he: flag_o = 1'b1;
      4'h9, 4'h8, 4'hb, 4'hd, 4'h1: flag_o = 1'b0;
      default:                      flag_o = SafeValue;
    endcase
  end

  assign code_o   = flag_o ? On : Off;
  assign repair_o = code_i != code_o;

endmodule
