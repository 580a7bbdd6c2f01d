// SPDX-License-Identifier: Apache-2.0
// One clock: inputs and resets in, the next state over.
#include "state.h"

const uint8_t *inputs_at(const Machine *machine, uint32_t cycle) {
  return machine->inputs + (uint64_t)cycle * N_INPUTS;
}

static void hold_in_reset(Machine *machine, uint32_t cycle) {
  const uint8_t *row = inputs_at(machine, cycle);
  if (N_RESETS)
    for (uint32_t i = 0; i < N_FLIP_FLOPS; i++)
      if (RESET_INPUT[i] >= 0 && !row[RESET_INPUT[i]]) machine->q[i] = everywhere(RESET_VALUE[i]);
}

static int is_in_reset(const Machine *machine, uint32_t cycle) {
  const uint8_t *row = inputs_at(machine, cycle);
  for (uint32_t i = 0; i < N_RESETS; i++)
    if (!row[RESETS[i]]) return 1;
  return 0;
}

void drive(Machine *machine, uint32_t cycle) {
  const uint8_t *row = inputs_at(machine, cycle);
  for (uint32_t i = 0; i < N_INPUTS; i++) machine->in[i] = everywhere(row[i]);
  if (is_in_reset(machine, cycle)) hold_in_reset(machine, cycle);
}

void take_over(Machine *machine, uint32_t cycle) {
  write_memories(machine);
  V *old = machine->q;
  machine->q = machine->d;
  machine->d = old;
  if (is_in_reset(machine, cycle)) hold_in_reset(machine, cycle);
}
