// SPDX-License-Identifier: Apache-2.0
// One machine word of faulty machines: lane 0 is golden, every other lane holds one injection.
#pragma once
#include <stdint.h>

#ifndef LANES
#define LANES 64
#endif
#define WORDS (LANES / 64)

#if LANES == 64
typedef uint64_t V;
#else
typedef uint64_t V __attribute__((vector_size(LANES / 8)));
#endif

// What a memory is made of. Its words are stored with their bits in as many 64-bit parts as needed.
typedef struct {
  uint32_t width, depth, address_bits, first_address;
  uint32_t writes;                 // Write ports, in the order in which they win.
  const uint32_t *write_nets;      // Of each port: address, enable of each bit, data.

} Memory;

// Made from the design: see the generated tables.
extern const uint32_t N_FLIP_FLOPS, N_SHARED, N_INPUTS, N_MEMORIES, N_GATES;
extern const Memory MEMORIES[];
extern const uint8_t RESET_VALUE[];     // Of each flip-flop, 2: it has no reset.
extern const int32_t RESET_INPUT[];     // The input that resets it while 0, -1: none does.
extern const uint32_t N_RESETS, RESETS[];  // Those inputs.
extern const int32_t RESET_PLACE[];     // Where in `n` the net is by which logic resets it, -1: none does.
extern const uint32_t Q_NET[];          // Of each that logic resets: the net that it drives.
extern const uint32_t N_DATA, N_ACCEPTED, N_ALARM, N_CORRECTED, N_SAFE, N_UNSAFE;
extern const uint32_t DATA[], ACCEPTED[], ALARM[], CORRECTED[], SAFE[], UNSAFE[];

// Evaluates one clock: state q, inputs, to the next state d and the shared nets n.
// `x` holds two words for each net: lanes in which its gate counts, and lanes that are then inverted;
// NULL where no gate has a fault in this clock.
void evaluate(const V *q, const V *in, V *d, V *n, const V *x);
void read_port(uint32_t memory, const uint32_t *address, const uint32_t *data, V *n);
