// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The states of an ECC RAM, as they are stored.

package ecc_ram_pkg;

  // Any two codes differ in four bits (the simplex code of length 7): one flip is put right, two are seen. No two bits
  // are equal or inverse in all seven.
  typedef enum logic [6:0] {
    StateInit    = 7'b1010101,  // Writes a codeword to every word; the user waits.
    StateIdle    = 7'b1111000,  // Waits for the next word to be due.
    StateRead    = 7'b0110011,  // Waits for a free clock to read the word.
    StateCheck   = 7'b1100110,  // The word stands at the decoder.
    StateRestore = 7'b0011110,  // Waits for a free clock to write the corrected codeword back.
    StateReread  = 7'b0101101,  // Waits for a free clock to read the word again.
    StateConfirm = 7'b1001011   // The word stands at the decoder again: right, or stuck.
  } state_e;

endpackage
