// SPDX-License-Identifier: Apache-2.0
// Flip-flops and gates that are stuck at a value in a lane, from its injection to its end.
#include "state.h"

static void stick_net(Machine *machine, uint32_t net, unsigned lane, unsigned value) {
  put_bit(&machine->x[2 * net], lane, 0);
  put_bit(&machine->x[2 * net + 1], lane, value);
}

static void free_net(Machine *machine, uint32_t net, unsigned lane) {
  put_bit(&machine->x[2 * net], lane, 1);
  put_bit(&machine->x[2 * net + 1], lane, 0);
}

static void hold(Machine *machine, uint32_t place, unsigned lane, unsigned value) {
  if (!any(&machine->hold[place])) machine->held[machine->n_held++] = place;
  put_bit(&machine->hold[place], lane, 1);
  put_bit(&machine->hold_to[place], lane, value);
  put_bit(&machine->q[place], lane, value);
}

static void let_go(Machine *machine, uint32_t place, unsigned lane) {
  put_bit(&machine->hold[place], lane, 0);
  put_bit(&machine->hold_to[place], lane, 0);
  if (any(&machine->hold[place])) return;
  uint32_t at = 0;
  while (machine->held[at] != place) at++;
  machine->held[at] = machine->held[--machine->n_held];
}

// A flip-flop that logic resets drives a net of its own, which its reset would force.
static int is_of_nets(const Jobs *jobs, uint32_t job) {
  if (jobs->kind[job] >= NET_STUCK_0) return 1;
  for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; i++)
    if (Q_NET[jobs->places[i]]) return 1;
  return 0;
}

void stick(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane) {
  unsigned value = jobs->kind[job] == STUCK_1 || jobs->kind[job] == NET_STUCK_1;
  put_bit(&machine->stuck, lane, 1);
  machine->n_stuck++;
  machine->stuck_nets += is_of_nets(jobs, job);
  for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; i++) {
    uint32_t place = jobs->places[i];
    if (jobs->kind[job] >= NET_STUCK_0) {
      stick_net(machine, place, lane, value);
      continue;
    }
    hold(machine, place, lane, value);
    if (Q_NET[place]) stick_net(machine, Q_NET[place], lane, value);
  }
}

void unstick(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane) {
  if (!bit_of(&machine->stuck, lane)) return;
  put_bit(&machine->stuck, lane, 0);
  machine->n_stuck--;
  machine->stuck_nets -= is_of_nets(jobs, job);
  for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; i++) {
    uint32_t place = jobs->places[i];
    if (jobs->kind[job] >= NET_STUCK_0) {
      free_net(machine, place, lane);
      continue;
    }
    let_go(machine, place, lane);
    if (Q_NET[place]) free_net(machine, Q_NET[place], lane);
  }
}

void hold_stuck(Machine *machine) {
  for (uint32_t i = 0; i < machine->n_held; i++) {
    uint32_t place = machine->held[i];
    machine->q[place] = (machine->q[place] & ~machine->hold[place]) | machine->hold_to[place];
  }
}
