// SPDX-License-Identifier: Apache-2.0
// Lanes that are golden again or have come to their end, and those that are free.
#include "state.h"

static V not_golden(const Machine *machine) {
  V differs = machine->out_of_step;
  for (uint32_t m = 0; m < N_MEMORIES; m++) differs |= machine->stores[m].dirty;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++) {
    differs |= machine->q[i] ^ spread_golden(&machine->q[i]);
    if (i % 64 == 63) {
      V same = machine->active & ~differs;
      if (!any(&same)) break;
    }
  }
  return differs;
}

void retire(Machine *machine, const Jobs *jobs, const Limits *limits) {
  V differs = not_golden(machine), same = machine->active & ~differs;
  if (machine->n_stuck) same &= ~machine->stuck;
  FOR_LANES(lane, same) conclude(machine, jobs, limits, lane, 1);
}

int free_lane(const Machine *machine) {
  for (unsigned word = 0; word < WORDS; word++) {
    uint64_t free_lanes = ~part_of(&machine->active, word) & (word ? UINT64_MAX : UINT64_MAX - 1);
    if (free_lanes) return (int)(word * 64 + __builtin_ctzll(free_lanes));
  }
  return -1;
}

void expire(Machine *machine, const Jobs *jobs, const Limits *limits, const uint32_t *queue,
                   uint32_t *head, uint32_t tail, uint32_t cycle) {
  V differs;
  int is_known = 0;
  for (; *head < tail; ++*head) {
    uint32_t lane = queue[2 * *head], job = queue[2 * *head + 1];
    if (jobs->cycle[job] + limits->horizon > cycle) return;
    if (!bit_of(&machine->active, lane) || machine->lanes[lane].job != job) continue;
    if (!is_known) differs = not_golden(machine), is_known = 1;
    conclude(machine, jobs, limits, lane, !bit_of(&differs, lane));
  }
}

void wipe_leaving(Machine *machine) {
  if (!any(&machine->leaving)) return;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++)
    machine->q[i] ^= (machine->q[i] ^ spread_golden(&machine->q[i])) & machine->leaving;
  machine->leaving = everywhere(0);
}
