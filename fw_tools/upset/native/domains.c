// SPDX-License-Identifier: Apache-2.0
// Disturbances of a reset or a clock: they reach every flip-flop and memory of a domain.
#include "state.h"

#define FOR_MEMBERS(member, jobs, job)                                                        \
  for (uint32_t domain_ = (jobs)->places[(jobs)->first[job]],                                 \
                i_ = (jobs)->domain_first[domain_], member;                                   \
       i_ < (jobs)->domain_first[domain_ + 1] && (member = (jobs)->domain_members[i_], 1); i_++)

// Before the clock is evaluated, and again after its edge.
void reset_domains(Machine *machine, const Jobs *jobs, const Begun *begun) {
  FOR_BEGUN(lane, job, begun) {
    if (jobs->kind[job] != RESET) continue;
    FOR_MEMBERS(member, jobs, job) put_bit(&machine->q[member], lane, RESET_VALUE[member]);
  }
}

static int is_held(const Machine *machine, uint32_t flip_flop, uint32_t cycle) {
  return RESET_INPUT[flip_flop] >= 0 && !inputs_at(machine, cycle)[RESET_INPUT[flip_flop]];
}

// One clock more for these lanes, of which only the domain takes its next state over.
void tick_early(Machine *machine, const Jobs *jobs, const Begun *begun) {
  evaluate(machine->q, machine->in, machine->d, machine->n, machine->stuck_nets ? machine->x : 0);
  FOR_BEGUN(lane, job, begun) {
    if (jobs->kind[job] != CLOCK_EXTRA) continue;
    FOR_MEMBERS(member, jobs, job)
      if (member >= N_FLIP_FLOPS) write_alone(machine, member - N_FLIP_FLOPS, lane);
      else if (!is_held(machine, member, begun->cycle))
        put_bit(&machine->q[member], lane, bit_of(&machine->d[member], lane));
  }
}

// What a flip-flop keeps: logic may have reset it in this very clock.
static unsigned kept(const Machine *machine, uint32_t flip_flop, unsigned lane) {
  int32_t reset = RESET_PLACE[flip_flop];
  if (reset >= 0 && !bit_of(&machine->n[reset], lane)) return RESET_VALUE[flip_flop];
  return bit_of(&machine->q[flip_flop], lane);
}

// After the clock was evaluated: the domain's next state is what it is.
void lose_tick(Machine *machine, const Jobs *jobs, const Begun *begun) {
  FOR_BEGUN(lane, job, begun) {
    if (jobs->kind[job] != CLOCK_LOST) continue;
    FOR_MEMBERS(member, jobs, job)
      if (member >= N_FLIP_FLOPS) put_bit(&machine->stores[member - N_FLIP_FLOPS].still, lane, 1);
      else put_bit(&machine->d[member], lane, kept(machine, member, lane));
  }
}
