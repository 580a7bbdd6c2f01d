// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// How much of a block's own logic is hardened, as `harden` in the description says.

package harden_pkg;

  typedef enum logic [1:0] {
    HardenNone,  // States and registers are plain.
    HardenFsm,   // States are code words, timers carry parity; what one flip must not move is kept twice or voted.
    HardenTmr    // Besides, every register that can reach a pin, a word or a report is voted.
  } harden_e;

endpackage
