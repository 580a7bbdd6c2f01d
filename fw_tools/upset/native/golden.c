// SPDX-License-Identifier: Apache-2.0
// The golden run, and what is kept of it: the state now and then, and what it handed over.
#include "state.h"

#include <stdlib.h>

static void start_state(Machine *machine, const uint8_t *initial) {
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++) machine->q[i] = everywhere(initial[i]);
  const uint8_t *bits = initial + N_FLIP_FLOPS;
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    Store *store = &machine->stores[m];
    memset(store->golden, 0, (uint64_t)MEMORIES[m].depth * store->parts * 8);
    for (uint32_t word = 0; word < MEMORIES[m].depth; word++)
      for (uint32_t bit = 0; bit < MEMORIES[m].width; bit++)
        store->golden[(uint64_t)word * store->parts + bit / 64] |= (uint64_t)*bits++ << (bit % 64);
  }
}

static void keep_snapshot(Machine *machine, uint32_t index) {
  uint8_t *bits = machine->snapshot_q + (uint64_t)index * N_FLIP_FLOPS;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++) bits[i] = part_of(&machine->q[i], 0) & 1;
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    uint64_t octets = (uint64_t)MEMORIES[m].depth * machine->stores[m].parts * 8;
    uint64_t **kept = &machine->snapshot_memories[index * N_MEMORIES + m];
    *kept = malloc(octets);
    memcpy(*kept, machine->stores[m].golden, octets);
  }
}

void restore(Machine *machine, uint32_t index) {
  const uint8_t *bits = machine->snapshot_q + (uint64_t)index * N_FLIP_FLOPS;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++) machine->q[i] = everywhere(bits[i]);
  for (uint32_t m = 0; m < N_MEMORIES; m++)
    memcpy(machine->stores[m].golden, machine->snapshot_memories[index * N_MEMORIES + m],
           (uint64_t)MEMORIES[m].depth * machine->stores[m].parts * 8);
}

void run_golden(Machine *machine, const uint8_t *initial) {
  start_state(machine, initial);
  uint64_t room = 1024;
  machine->stream = malloc(room * machine->data_parts * 8);
  for (uint32_t cycle = 0; cycle < machine->cycles; cycle++) {
    if (cycle % machine->snapshot_every == 0) keep_snapshot(machine, machine->snapshots++);
    drive(machine, cycle);
    evaluate(machine->q, machine->in, machine->d, machine->n, 0);
    machine->accepted_at[cycle] = (uint32_t)machine->golden_count;
    V transfers = accepted(machine->n);
    V unsafe = either(machine->n, UNSAFE, N_UNSAFE);
    if (part_of(&unsafe, 0) & 1 && machine->unsafe_at == NEVER) machine->unsafe_at = cycle;
    if (part_of(&transfers, 0) & 1) {
      if (machine->golden_count == room)
        machine->stream = realloc(machine->stream, (room *= 2) * machine->data_parts * 8);
      take_data(machine->n, 0, machine->stream + machine->golden_count++ * machine->data_parts,
                machine->data_parts);
    }
    take_over(machine, cycle);
  }
  machine->accepted_at[machine->cycles] = (uint32_t)machine->golden_count;
}

uint32_t snapshot_of(const Machine *machine, uint32_t cycle) { return cycle / machine->snapshot_every; }
