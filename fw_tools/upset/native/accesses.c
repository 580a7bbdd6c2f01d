// SPDX-License-Identifier: Apache-2.0
// When golden reads and writes each word of its memories.
#include "state.h"

enum { READ = 1, WHOLE_WRITE = 2, PART_WRITE = 4 };

typedef struct {  // In the order of clocks; a word may be there several times in one.
  uint32_t cycle, word, access;
} Access;

static Access *noted;
static uint64_t n_noted, room;
static uint32_t clock_now;

static void note(uint32_t word, uint32_t access) {
  if (n_noted < room) noted[n_noted] = (Access){clock_now, word, access};
  n_noted++;
}

static uint32_t first_word(uint32_t memory) {
  uint32_t word = 0;
  for (uint32_t m = 0; m < memory; m++) word += MEMORIES[m].depth;
  return word;
}

void note_read(uint32_t memory, uint32_t word) {
  if (room) note(first_word(memory) + word, READ);
}

static void note_write(uint32_t m, const uint32_t *nets, const V *n) {
  const Memory *memory = &MEMORIES[m];
  uint32_t word = word_at(memory, nets, n, 0), enabled = 0;
  for (uint32_t bit = 0; bit < memory->width; bit++) enabled += bit_of(&n[nets[memory->address_bits + bit]], 0);
  if (enabled && word < memory->depth)
    note(first_word(m) + word, enabled == memory->width ? WHOLE_WRITE : PART_WRITE);
}

// Runs golden once more. Returns how many accesses there are; the first `most` are in `accesses`.
uint64_t machine_accesses(Machine *machine, Access *accesses, uint64_t most) {
  use_memories(machine);
  noted = accesses, n_noted = 0, room = most;
  restore(machine, 0);
  for (clock_now = 0; clock_now < machine->cycles; clock_now++) {
    drive(machine, clock_now);
    evaluate(machine->q, machine->in, machine->d, machine->n, 0);
    for (uint32_t m = 0; m < N_MEMORIES; m++)
      for (uint32_t port = 0; port < MEMORIES[m].writes; port++)
        note_write(m, MEMORIES[m].write_nets + port * (MEMORIES[m].address_bits + 2 * MEMORIES[m].width), machine->n);
    take_over(machine, clock_now);
  }
  room = 0;
  return n_noted;
}
