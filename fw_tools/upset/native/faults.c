// SPDX-License-Identifier: Apache-2.0
// What is done to a lane when its injection begins, and when a transient ends.
#include "state.h"

static void flip(Machine *machine, uint32_t place, unsigned lane, uint32_t cycle) {
  if (place < N_FLIP_FLOPS) {
    if (RESET_INPUT[place] >= 0 && !inputs_at(machine, cycle)[RESET_INPUT[place]]) return;  // It is held.
    put_bit(&machine->q[place], lane, !bit_of(&machine->q[place], lane));
    return;
  }
  place -= N_FLIP_FLOPS;
  uint32_t m = 0;
  for (; place >= MEMORIES[m].width * MEMORIES[m].depth; m++) place -= MEMORIES[m].width * MEMORIES[m].depth;
  Store *store = &machine->stores[m];
  uint32_t word = place / MEMORIES[m].width, bit = place % MEMORIES[m].width;
  uint64_t value[16];
  memcpy(value, seen(store, &MEMORIES[m], lane, word), store->parts * 8);
  value[bit / 64] ^= UINT64_C(1) << (bit % 64);
  set_own(store, &MEMORIES[m], lane, word, value);
}

void begin(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane) {
  machine->lanes[lane] = (Lane){.job = job, .began = jobs->cycle[job], .difference = NEVER,
                                .alarm = NEVER, .corrected = NEVER, .safe = NEVER, .slipped = NEVER, .waits_since = NEVER,
                                .hung = NEVER};
  put_bit(&machine->active, lane, 1);
  uint8_t kind = jobs->kind[job];
  if (kind >= STUCK_0 && kind <= NET_STUCK_1) stick(machine, jobs, job, lane);
  for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; i++)
    if (kind == TRANSIENT) put_bit(&machine->x[2 * jobs->places[i] + 1], lane, 1);
    else if (kind == FLIP) flip(machine, jobs->places[i], lane, jobs->cycle[job]);
}

void end_transients(Machine *machine, const Jobs *jobs, const Begun *begun) {
  FOR_BEGUN(lane, job, begun)
    for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; i++)
      if (jobs->kind[job] == TRANSIENT) put_bit(&machine->x[2 * jobs->places[i] + 1], lane, 0);
}
