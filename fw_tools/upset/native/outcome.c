// SPDX-License-Identifier: Apache-2.0
// What a lane's injection has come to.
#include "state.h"

V accepted(const V *n) { return N_ACCEPTED ? either(n, ACCEPTED, N_ACCEPTED) : everywhere(1); }

void take_data(const V *n, unsigned lane, uint64_t *row, uint32_t parts) {
  memset(row, 0, parts * 8);
  for (uint32_t bit = 0; bit < N_DATA; bit++)
    row[bit / 64] |= (uint64_t)bit_of(&n[DATA[bit]], lane) << (bit % 64);
}

void settle(Machine *machine, const Jobs *jobs, unsigned lane, int outcome, uint32_t cycle) {
  Lane *own = &machine->lanes[lane];
  jobs->outcome[own->job] = (uint8_t)outcome;
  jobs->effect[own->job] = cycle == NEVER ? NEVER : cycle - own->began;
  forget_lane(machine, lane);
  if (machine->n_stuck) unstick(machine, jobs, own->job, lane);
  put_bit(&machine->leaving, lane, 1);
  put_bit(&machine->active, lane, 0);
  put_bit(&machine->out_of_step, lane, 0);
}

// A lane has come to its end, or is golden again: what was it?
void conclude(Machine *machine, const Jobs *jobs, const Limits *limits, unsigned lane, int is_golden) {
  Lane *own = &machine->lanes[lane];
  uint32_t alarm = own->alarm, difference = own->difference;
  int is_told = alarm != NEVER && (alarm <= difference || alarm - difference <= limits->alarm_window);
  if (difference != NEVER && !is_told) {
    settle(machine, jobs, lane, SILENT, difference);
  } else if (own->hung != NEVER) {
    settle(machine, jobs, lane, HANG, own->hung);
  } else if (difference != NEVER) {
    settle(machine, jobs, lane, DETECTED, alarm);
  } else if (alarm != NEVER || own->safe != NEVER) {
    settle(machine, jobs, lane, OUTAGE, alarm < own->safe ? alarm : own->safe);
  } else if (own->corrected != NEVER) {
    settle(machine, jobs, lane, WAS_CORRECTED, own->corrected);
  } else if (own->slipped != NEVER) {
    settle(machine, jobs, lane, TIMING, own->slipped);
  } else {
    settle(machine, jobs, lane, is_golden ? MASKED : LATENT, NEVER);
  }
}

// Lanes that hand over at other clocks than golden are followed one by one.
static void follow(Machine *machine, const Limits *limits, uint32_t cycle, V transfers, V differs) {
  int golden = part_of(&transfers, 0) & 1;
  uint64_t row[256];
  V single = ((transfers ^ everywhere(golden)) | machine->out_of_step) & machine->active;
  FOR_LANES(lane, single) {
    Lane *own = &machine->lanes[lane];
    if (own->safe != NEVER) continue;  // It is safe, and owes nothing.
    if (!bit_of(&machine->out_of_step, lane)) own->transfers = machine->accepted_at[cycle];
    int64_t due = machine->accepted_at[cycle] + golden;
    if (bit_of(&transfers, lane)) {
      take_data(machine->n, lane, row, machine->data_parts);
      int is_known = (uint64_t)own->transfers < machine->golden_count;
      if (is_known && memcmp(row, machine->stream + own->transfers * machine->data_parts, machine->data_parts * 8) &&
          own->difference == NEVER)
        own->difference = cycle;
      own->transfers++;
      own->waits_since = NEVER;
    }
    if (own->transfers < due && own->waits_since == NEVER) own->waits_since = cycle;
    if (own->transfers >= due) own->waits_since = NEVER;
    if (own->transfers != due && own->slipped == NEVER) own->slipped = cycle;
    put_bit(&machine->out_of_step, lane, own->transfers != due);
    if (own->waits_since != NEVER && cycle - own->waits_since >= limits->hang_after && own->hung == NEVER)
      own->hung = own->waits_since;
  }
  differs &= ~single & machine->active;
  FOR_LANES(lane, differs) {
    Lane *own = &machine->lanes[lane];
    if (own->difference == NEVER && own->safe == NEVER) own->difference = cycle;
  }
}

#define NOTE(field, nets, count)                                                     \
  if (count) {                                                                       \
    V value_ = either(n, nets, count);                                               \
    V news_ = value_ & ~spread_golden(&value_) & machine->active;                    \
    if (any(&news_))                                                                 \
      FOR_LANES(lane, news_)                                                         \
        if (machine->lanes[lane].field == NEVER) machine->lanes[lane].field = cycle; \
  }

void observe(Machine *machine, const Jobs *jobs, const Limits *limits, uint32_t cycle) {
  const V *n = machine->n;
  NOTE(alarm, ALARM, N_ALARM)
  NOTE(corrected, CORRECTED, N_CORRECTED)
  NOTE(safe, SAFE, N_SAFE)
  V transfers = accepted(n), differs = everywhere(0);
  if (part_of(&transfers, 0) & 1)
    for (uint32_t i = 0; i < N_DATA; i++) differs |= n[DATA[i]] ^ spread_golden(&n[DATA[i]]);
  V special = ((transfers ^ spread_golden(&transfers)) | machine->out_of_step | (differs & transfers)) & machine->active;
  if (any(&special)) follow(machine, limits, cycle, transfers, differs & transfers);
  if (N_UNSAFE) {
    V value = either(n, UNSAFE, N_UNSAFE);
    V news = value & ~spread_golden(&value) & machine->active;
    if (any(&news)) FOR_LANES(lane, news) settle(machine, jobs, lane, UNSAFE_STATE, cycle);
  }
}
