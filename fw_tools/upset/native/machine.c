// SPDX-License-Identifier: Apache-2.0
// A machine's room, taken and given back.
#include "state.h"

#include <stdlib.h>

#define SNAPSHOTS 64  // Of the golden machine, over the whole run.

// `initial` holds an octet for each flip-flop, then for each bit of each memory.
Machine *machine_new(uint32_t cycles, const uint8_t *inputs, const uint8_t *initial) {
  Machine *machine = aligned_alloc(64, (sizeof(Machine) + 63) / 64 * 64);
  memset(machine, 0, sizeof *machine);
  machine->cycles = cycles;
  machine->unsafe_at = NEVER;
  machine->inputs = inputs;
  machine->q = aligned_alloc(64, (N_FLIP_FLOPS + 1) * 64);
  machine->d = aligned_alloc(64, (N_FLIP_FLOPS + 1) * 64);
  machine->n = aligned_alloc(64, (N_SHARED + 1) * 64);
  machine->in = aligned_alloc(64, (N_INPUTS + 1) * 64);
  machine->x = aligned_alloc(64, 2 * (uint64_t)(N_GATES + 1) * 64);
  for (uint32_t net = 0; net <= N_GATES; net++) machine->x[2 * net] = everywhere(1), machine->x[2 * net + 1] = everywhere(0);
  machine->hold = aligned_alloc(64, (N_FLIP_FLOPS + 1) * 64);
  machine->hold_to = aligned_alloc(64, (N_FLIP_FLOPS + 1) * 64);
  memset(machine->hold, 0, (N_FLIP_FLOPS + 1) * 64);
  memset(machine->hold_to, 0, (N_FLIP_FLOPS + 1) * 64);
  machine->held = malloc((N_FLIP_FLOPS + 1) * sizeof(uint32_t));
  machine->data_parts = N_DATA ? (N_DATA + 63) / 64 : 1;
  machine->accepted_at = malloc((cycles + 1) * sizeof(uint32_t));
  machine->snapshot_every = cycles / SNAPSHOTS + 1;
  machine->snapshot_q = malloc((uint64_t)(SNAPSHOTS + 1) * (N_FLIP_FLOPS + 1));
  machine->snapshot_memories = calloc((SNAPSHOTS + 1) * (N_MEMORIES + 1), sizeof(uint64_t *));
  machine->stores = aligned_alloc(64, (N_MEMORIES + 1) * ((sizeof(Store) + 63) / 64 * 64));
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    Store *store = &machine->stores[m];
    memset(store, 0, sizeof *store);
    store->parts = (MEMORIES[m].width + 63) / 64;
    store->bitset = (MEMORIES[m].depth + 63) / 64;
    store->golden = calloc((uint64_t)MEMORIES[m].depth * store->parts, 8);
    store->own = malloc((uint64_t)LANES * MEMORIES[m].depth * store->parts * 8);
    store->differs = calloc((uint64_t)LANES * store->bitset, 8);
    store->count = calloc(LANES, sizeof(uint32_t));
  }
  use_memories(machine);
  run_golden(machine, initial);
  return machine;
}

void machine_free(Machine *machine) {
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    free(machine->stores[m].golden);
    free(machine->stores[m].own);
    free(machine->stores[m].differs);
    free(machine->stores[m].count);
  }
  for (uint32_t i = 0; i < machine->snapshots * N_MEMORIES; i++) free(machine->snapshot_memories[i]);
  free(machine->stores);
  free(machine->snapshot_memories);
  free(machine->snapshot_q);
  free(machine->accepted_at);
  free(machine->stream);
  free(machine->hold), free(machine->hold_to), free(machine->held);
  free(machine->q), free(machine->d), free(machine->n), free(machine->in), free(machine->x);
  free(machine);
}

uint32_t machine_unsafe_at(const Machine *machine) { return machine->unsafe_at; }
uint64_t machine_transfers(const Machine *machine) { return machine->golden_count; }
const uint64_t *machine_stream(const Machine *machine) { return machine->stream; }
