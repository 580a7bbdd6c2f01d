// SPDX-License-Identifier: Apache-2.0
// Passes over time: fills lanes, runs them, and goes on until no injection is left.
#include "state.h"

#include <stdlib.h>

#define CHECK_EVERY 4  // Clocks between looks for lanes that are golden again.

// Puts jobs of this clock into free lanes; those without one stay in `todo`. Returns how many
// transients began.
static uint32_t fill(Machine *machine, const Jobs *jobs, uint32_t *todo, uint32_t open, uint32_t *next,
                     uint32_t *kept, uint32_t *queue, uint32_t *tail, uint32_t cycle) {
  uint32_t transients = 0;
  for (; *next < open && jobs->cycle[todo[*next]] == cycle; ++*next) {
    uint32_t job = todo[*next];
    int lane = free_lane(machine);
    if (lane < 0) {
      todo[(*kept)++] = job;
      continue;
    }
    transients += begin(machine, jobs, job, (unsigned)lane);
    queue[2 * *tail] = (uint32_t)lane;
    queue[2 * (*tail)++ + 1] = job;
  }
  return transients;
}

// One pass; returns how many jobs found no lane in it.
static uint32_t pass(Machine *machine, const Jobs *jobs, const Limits *limits, const volatile int *stop,
                     uint32_t *todo, uint32_t open, uint32_t *queue, uint64_t *spent) {
  uint32_t next = 0, kept = 0, head = 0, tail = 0;
  uint32_t cycle = snapshot_of(machine, jobs->cycle[todo[0]]) * machine->snapshot_every;
  restore(machine, snapshot_of(machine, cycle));
  while (!*stop) {
    drive(machine, cycle);
    uint32_t transients = fill(machine, jobs, todo, open, &next, &kept, queue, &tail, cycle);
    evaluate(machine->q, machine->in, machine->d, machine->n, transients ? machine->x : 0);
    if (transients) end_transients(machine, jobs, queue, tail, cycle);
    observe(machine, jobs, limits, cycle);
    take_over(machine, cycle);
    cycle++, spent[0]++;
    for (unsigned word = 0; word < WORDS; word++)
      spent[1] += (uint64_t)__builtin_popcountll(part_of(&machine->active, word));
    expire(machine, jobs, limits, queue, &head, tail, cycle);
    if (cycle % CHECK_EVERY == 0) retire(machine, jobs, limits);
    wipe_leaving(machine);
    if (any(&machine->active)) continue;
    if (next == open) break;
    uint32_t ahead = snapshot_of(machine, jobs->cycle[todo[next]]);
    if (ahead > snapshot_of(machine, cycle)) restore(machine, ahead), cycle = ahead * machine->snapshot_every;
  }
  return kept;
}

// Runs every job; what `stop` interrupts keeps outcome 255. `spent`: clocks evaluated, and
// lane-clocks with an injection in them.
void machine_run(Machine *machine, const Jobs *jobs, const Limits *limits, const volatile int *stop, uint64_t *spent) {
  use_memories(machine);
  uint32_t *todo = malloc((jobs->count + 1) * sizeof(uint32_t));
  uint32_t *queue = malloc((jobs->count + 1) * 2 * sizeof(uint32_t));
  memset(jobs->outcome, 255, jobs->count);
  for (uint32_t job = 0; job < jobs->count; job++) todo[job] = job;
  uint32_t open = jobs->count;
  while (open && !*stop) open = pass(machine, jobs, limits, stop, todo, open, queue, spent);
  free(queue);
  free(todo);
}
