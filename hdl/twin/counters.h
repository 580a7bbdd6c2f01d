// SPDX-License-Identifier: Apache-2.0
// What leap.h has to know of the RTL: the counters that run on while nothing else happens, and the memories.
//
// A counter may stand here only when nothing but itself depends on its value, except on whether it has reached a bound.
// One that runs and does not stand here keeps the twin from leaping: slower, never wrong. So does a memory, of which
// those may stand here whose write either moves a register too, or leaves the word that was read as it is.
#pragma once

#include <cstdint>
#include <vector>

namespace twin {

// A parameter beside the counter, and what is added to it; "" is 0.
struct Amount {
  const char* parameter;
  int64_t plus;
};

struct CounterRule {
  const char* path;            // How it ends.
  Amount step;                 // Of each clock.
  std::vector<Amount> bounds;  // What it is compared with.
};

inline const std::vector<CounterRule> CounterRules = {
    {"gen_count.count_q", {"", -1}, {{"", 0}}},                       // tick_gen
    {"u_millisecond.count_q", {"", 1}, {{"LastCount", 0}}},           // periodic_trigger
    {"u_cuc_time.phase_q", {"Step", 0}, {}},                          // cuc_time: it only goes into the sum.
    {"u_cuc_time.phase_sum", {"Step", 0}, {{"Modulus", 0}}},          // The same, a step ahead.
    {"u_uart_tx.count_q", {"", 1}, {{"LastCount", 0}}},               // uart_tx
    {"u_uart_rx.count_q", {"", 1}, {{"Middle", 1}, {"LastCount", 0}}},  // uart_rx
};

inline const std::vector<const char*> MemoryPaths = {
    "u_array.mem",    // ecc_ram_array: one port; a write leaves the word that was read.
    "u_ring.mem",     // octet_ring: whoever writes it moves a pointer too.
    "u_program.mem",  // A word of the program that is put right is marked as such.
};

}  // namespace twin
