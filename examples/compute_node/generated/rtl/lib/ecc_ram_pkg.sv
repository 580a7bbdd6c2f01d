// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The states of an ECC RAM and their codes.

package ecc_ram_pkg;

  typedef enum logic [2:0] {
    StateInit,     // Writes a codeword to every word; the user waits.
    StateIdle,     // Waits for the next word to be due.
    StateRead,     // Waits for a free clock to read the word.
    StateCheck,    // The word stands at the decoder.
    StateRestore,  // Waits for a free clock to write the corrected codeword back.
    StateReread,   // Waits for a free clock to read the word again.
    StateConfirm   // The word stands at the decoder again: right, or stuck.
  } state_e;

  // As they are stored, by state_e: any two codes differ in four bits (the simplex code of length 7), so that one flip is
  // put right and two are seen. No two bits are equal or inverse in all seven.
  localparam int unsigned States = 7;
  localparam int unsigned CodeBits = 7;
  localparam logic [States-1:0][CodeBits-1:0] StateCodes = {
    7'b1001011, 7'b0101101, 7'b0011110, 7'b1100110, 7'b0110011, 7'b1111000, 7'b1010101
  };

endpackage
