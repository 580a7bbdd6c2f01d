// SPDX-License-Identifier: Apache-2.0
// What the generated functions of gates share; FLIPPED makes those that take faults of gates.
#pragma once
#include "engine.h"

#define SIGNATURE                                                                       \
  const V *restrict q, const V *restrict in, V *restrict d, V *restrict n, const V *restrict x
#ifdef FLIPPED
#define NAME(index) flipped_##index
#define MADE(value, net) (((value) & x[2 * (net)]) ^ x[2 * (net) + 1])
#else
#define NAME(index) plain_##index
#define MADE(value, net) (value)
#endif
#if LANES == 64
#define ZERO UINT64_C(0)
#define ONES UINT64_MAX
#else
#define ZERO ((V){0})
#define ONES (~(V){0})
#endif
