// SPDX-License-Identifier: Apache-2.0
// Passes over time: fills lanes, runs them, and goes on until no injection is left.
#include "state.h"

#include <stdlib.h>

#define CHECK_EVERY 4  // Clocks between looks for lanes that are golden again.

// Puts jobs of this clock into free lanes; those without one stay in `todo`. Returns the set of kinds
// that began.
static uint32_t fill(Machine *machine, const Jobs *jobs, uint32_t *todo, uint32_t open, uint32_t *next,
                     uint32_t *kept, uint32_t *queue, uint32_t *tail, uint32_t cycle) {
  uint32_t kinds = 0;
  for (; *next < open && jobs->cycle[todo[*next]] == cycle; ++*next) {
    uint32_t job = todo[*next];
    int lane = free_lane(machine);
    if (lane < 0) {
      todo[(*kept)++] = job;
      continue;
    }
    begin(machine, jobs, job, (unsigned)lane);
    kinds |= 1u << jobs->kind[job];
    queue[2 * *tail] = (uint32_t)lane;
    queue[2 * (*tail)++ + 1] = job;
  }
  return kinds;
}

static void run_clock(Machine *machine, const Jobs *jobs, const Limits *limits, const Begun *begun) {
  if (HAS(begun, RESET)) reset_domains(machine, jobs, begun);
  if (HAS(begun, CLOCK_EXTRA)) tick_early(machine, jobs, begun);
  int has_faulty_nets = HAS(begun, TRANSIENT) || machine->stuck_nets;
  evaluate(machine->q, machine->in, machine->d, machine->n, has_faulty_nets ? machine->x : 0);
  if (HAS(begun, TRANSIENT)) end_transients(machine, jobs, begun);
  observe(machine, jobs, limits, begun->cycle);
  if (HAS(begun, CLOCK_LOST)) lose_tick(machine, jobs, begun);
  take_over(machine, begun->cycle);
  if (HAS(begun, RESET)) reset_domains(machine, jobs, begun);
  if (machine->n_held) hold_stuck(machine);
}

// One pass; returns how many jobs found no lane in it.
static uint32_t pass(Machine *machine, const Jobs *jobs, const Limits *limits, const volatile int *stop,
                     uint32_t *todo, uint32_t open, uint32_t *queue, uint64_t *spent) {
  uint32_t next = 0, kept = 0, head = 0, tail = 0;
  uint32_t cycle = snapshot_of(machine, jobs->cycle[todo[0]]) * machine->snapshot_every;
  restore(machine, snapshot_of(machine, cycle));
  while (!*stop) {
    drive(machine, cycle);
    if (machine->n_held) hold_stuck(machine);
    Begun begun = {.queue = queue, .cycle = cycle};
    begun.kinds = fill(machine, jobs, todo, open, &next, &kept, queue, &tail, cycle);
    begun.tail = tail;
    run_clock(machine, jobs, limits, &begun);
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
