// SPDX-License-Identifier: Apache-2.0
// Every pattern of so many flipped input bits of a design without state, a lane each.
//
// A pattern is a prefix and a tail of at most two bits, all rising. Tails are laid out in words once,
// by falling first bit, so that those behind a prefix are the first so many of them.
#include "engine.h"
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint32_t *bits;  // Inputs that may be flipped.
  uint32_t n_bits, tail;
  V *masks;              // Of each word of tails: which lanes flip each bit.
  V *base, *in, *d, *n;
  V *golden;             // The outputs without a flip: data, alarm, corrected.
  uint64_t *counts;
} Patterns;

enum { SILENT = 1, DETECTED = 3, OUTAGE = 4, CORRECTION = 5, MASKED = 8 };

static uint64_t tails_behind(const Patterns *p, uint32_t first) {
  uint64_t left = p->n_bits - first;  // Bits that may still be chosen.
  return p->tail == 2 ? left * (left - 1) / 2 : left;
}

static void lay_out(Patterns *p) {
  uint64_t total = tails_behind(p, 0), words = total / LANES + 1, at = 0;
  p->masks = aligned_alloc(64, words * p->n_bits * 64);
  memset(p->masks, 0, words * p->n_bits * 64);
  for (uint32_t first = p->n_bits; first-- > 0;)
    for (uint32_t second = first + (p->tail == 2); second < (p->tail == 2 ? p->n_bits : first + 1); second++, at++) {
      V *word = p->masks + at / LANES * p->n_bits;
      put_bit(&word[first], at % LANES, 1);
      put_bit(&word[second], at % LANES, 1);
    }
}

static V first_lanes(uint64_t count) {
  V lanes = everywhere(0);
  for (unsigned word = 0; word < WORDS; word++) {
    uint64_t here = count > word * 64u ? count - word * 64u : 0;
    set_part(&lanes, word, here >= 64 ? UINT64_MAX : (UINT64_C(1) << here) - 1);
  }
  return lanes;
}

static uint64_t population(V lanes) {
  uint64_t count = 0;
  for (unsigned word = 0; word < WORDS; word++) count += (uint64_t)__builtin_popcountll(part_of(&lanes, word));
  return count;
}

static void class_word(Patterns *p, V lanes) {
  const V *n = p->n;
  V differs = everywhere(0);
  for (uint32_t i = 0; i < N_DATA; i++) differs |= n[DATA[i]] ^ p->golden[i];
  V alarm = either(n, ALARM, N_ALARM) & ~p->golden[N_DATA];
  V corrected = either(n, CORRECTED, N_CORRECTED) & ~p->golden[N_DATA + 1];
  p->counts[SILENT] += population(lanes & differs & ~alarm);
  p->counts[DETECTED] += population(lanes & differs & alarm);
  p->counts[OUTAGE] += population(lanes & ~differs & alarm);
  p->counts[CORRECTION] += population(lanes & ~differs & ~alarm & corrected);
  p->counts[MASKED] += population(lanes & ~differs & ~alarm & ~corrected);
}

static void run_tails(Patterns *p, uint32_t first) {
  uint64_t left = tails_behind(p, first);
  for (const V *word = p->masks; left; word += p->n_bits) {
    for (uint32_t i = 0; i < p->n_bits; i++) p->in[p->bits[i]] = p->base[p->bits[i]] ^ word[i];
    evaluate(0, p->in, p->d, p->n, 0);
    uint64_t here = left < LANES ? left : LANES;
    class_word(p, first_lanes(here));
    left -= here;
  }
}

static void run_prefixes(Patterns *p, uint32_t first, uint32_t prefix) {
  if (!prefix) {
    run_tails(p, first);
    return;
  }
  for (uint32_t i = first; i < p->n_bits; i++) {
    V *bit = &p->base[p->bits[i]];
    *bit = ~*bit;
    run_prefixes(p, i + 1, prefix - 1);
    *bit = ~*bit;
  }
}

// `base` holds every input; `counts` has room for each outcome.
void patterns_run(const uint8_t *base, const uint32_t *bits, uint32_t n_bits, uint32_t flips, uint64_t *counts) {
  Patterns p = {.bits = bits, .n_bits = n_bits, .tail = flips < 2 ? flips : 2, .counts = counts};
  p.base = aligned_alloc(64, (N_INPUTS + 1) * 64);
  p.in = aligned_alloc(64, (N_INPUTS + 1) * 64);
  p.d = aligned_alloc(64, 64);
  p.n = aligned_alloc(64, (N_SHARED + 1) * 64);
  p.golden = aligned_alloc(64, (N_DATA + 2) * 64);
  for (uint32_t i = 0; i < N_INPUTS; i++) p.in[i] = p.base[i] = everywhere(base[i]);
  evaluate(0, p.in, p.d, p.n, 0);
  for (uint32_t i = 0; i < N_DATA; i++) p.golden[i] = p.n[DATA[i]];
  p.golden[N_DATA] = either(p.n, ALARM, N_ALARM);
  p.golden[N_DATA + 1] = either(p.n, CORRECTED, N_CORRECTED);
  lay_out(&p);
  run_prefixes(&p, 0, flips - p.tail);
  free(p.base), free(p.in), free(p.d), free(p.n), free(p.golden), free(p.masks);
}
