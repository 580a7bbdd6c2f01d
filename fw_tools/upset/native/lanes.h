// SPDX-License-Identifier: Apache-2.0
// Single lanes and sets of lanes in a word.
#pragma once
#include "engine.h"

static inline uint64_t part_of(const V *value, unsigned word) {
#if LANES == 64
  (void)word;
  return *value;
#else
  return (*value)[word];
#endif
}

static inline void set_part(V *value, unsigned word, uint64_t part) {
#if LANES == 64
  (void)word;
  *value = part;
#else
  (*value)[word] = part;
#endif
}

static inline V everywhere(unsigned bit) {
  V value;
  for (unsigned word = 0; word < WORDS; word++) set_part(&value, word, -(uint64_t)(bit & 1));
  return value;
}

static inline unsigned bit_of(const V *value, unsigned lane) {
  return part_of(value, lane / 64) >> (lane % 64) & 1;
}

static inline void put_bit(V *value, unsigned lane, unsigned bit) {
  uint64_t place = UINT64_C(1) << (lane % 64), old = part_of(value, lane / 64);
  set_part(value, lane / 64, bit ? old | place : old & ~place);
}

static inline int any(const V *value) {
  uint64_t all = 0;
  for (unsigned word = 0; word < WORDS; word++) all |= part_of(value, word);
  return all != 0;
}

#define FOR_LANES(lane, set)                                                         \
  for (unsigned word_ = 0; word_ < WORDS; word_++)                                   \
    for (uint64_t rest_ = part_of(&(set), word_); rest_; rest_ &= rest_ - 1)         \
      for (unsigned lane = word_ * 64 + __builtin_ctzll(rest_), once_ = 1; once_; once_ = 0)

static inline V spread_golden(const V *value) { return everywhere(part_of(value, 0) & 1); }

static inline V either(const V *n, const uint32_t *nets, uint32_t count) {
  V value = everywhere(0);
  for (uint32_t i = 0; i < count; i++) value |= n[nets[i]];
  return value;
}
