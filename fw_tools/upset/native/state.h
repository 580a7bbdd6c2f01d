// SPDX-License-Identifier: Apache-2.0
// The state of a machine: what golden has done, what each lane holds, and what is to be injected.
#pragma once
#include "engine.h"
#include "lanes.h"

#include <string.h>

enum { UNSAFE_STATE, SILENT, HANG, DETECTED, OUTAGE, WAS_CORRECTED, TIMING, LATENT, MASKED };
enum { FLIP, TRANSIENT, STUCK_0, STUCK_1, NET_STUCK_0, NET_STUCK_1, RESET, CLOCK_LOST, CLOCK_EXTRA };
#define NEVER UINT32_MAX

typedef struct {
  uint32_t job, began, difference, alarm, corrected, safe, slipped;
  uint32_t waits_since;  // The clock since which it owes a transfer.
  uint32_t hung;         // The clock since which it owed one for too long.
  int64_t transfers;     // Accepted so far; only kept up to date while it is out of step.
} Lane;

typedef struct {  // What a memory holds in golden, and where each lane holds something else.
  uint64_t *golden, *own;
  uint64_t *differs;      // A bit for each lane and word.
  uint32_t *count;        // Words that differ, for each lane.
  uint32_t parts, bitset; // 64-bit parts of a word; of a lane's set of words.
  V dirty;                // Lanes with a count.
  V still;                // Lanes in which it is not clocked now.
} Store;

typedef struct {
  uint32_t horizon, alarm_window, hang_after;
} Limits;

typedef struct {
  uint32_t cycles;
  const uint8_t *inputs;  // One octet an input and clock.
  V *q, *d, *n, *in, *x;
  V *hold, *hold_to;      // Of each flip-flop: lanes in which it is stuck, and at what.
  uint32_t *held, n_held; // Those that are stuck in any lane.
  uint32_t n_stuck;       // Lanes in which something is stuck,
  uint32_t stuck_nets;    // and those in which a gate is.
  Store *stores;
  Lane lanes[LANES];
  V active, out_of_step, leaving, stuck;
  uint64_t *stream;       // What golden hands over, a row of `data_parts` for each transfer.
  uint32_t *accepted_at;  // Transfers before each clock.
  uint32_t data_parts;
  uint64_t golden_count;
  uint32_t unsafe_at;     // The clock in which golden is what must never be.
  uint8_t *snapshot_q;
  uint64_t **snapshot_memories;
  uint32_t snapshot_every, snapshots;
} Machine;

typedef struct {
  uint32_t count;
  const uint32_t *cycle;   // Not falling.
  const uint8_t *kind;
  const uint32_t *first;   // Places of job i: first[i] to first[i + 1].
  const uint32_t *places;  // Flip-flops, then bits of memories; or nets of gates; or domains.
  const uint32_t *domain_first;   // Members of domain i: domain_first[i] to domain_first[i + 1].
  const uint32_t *domain_members; // Flip-flops, then memories.
  uint8_t *outcome;
  uint32_t *effect;        // Clocks from the injection to what decided its outcome.
} Jobs;

// memories.c
const uint64_t *seen(Store *store, const Memory *memory, unsigned lane, uint32_t word);
void set_own(Store *store, const Memory *memory, unsigned lane, uint32_t word, const uint64_t *value);
void forget_lane(Machine *machine, unsigned lane);
void write_memories(Machine *machine);
void write_alone(Machine *machine, uint32_t index, unsigned lane);
void use_memories(Machine *machine);
uint32_t word_at(const Memory *memory, const uint32_t *nets, const V *n, unsigned lane);

// accesses.c
void note_read(uint32_t memory, uint32_t word);

// clock.c
const uint8_t *inputs_at(const Machine *machine, uint32_t cycle);
void drive(Machine *machine, uint32_t cycle);
void take_over(Machine *machine, uint32_t cycle);

// golden.c
void run_golden(Machine *machine, const uint8_t *initial);
uint32_t snapshot_of(const Machine *machine, uint32_t cycle);
void restore(Machine *machine, uint32_t index);

// What began in a clock: its jobs stand last in the queue, and a bit of `kinds` is set for each kind.
typedef struct {
  const uint32_t *queue;  // Lane and job by turns.
  uint32_t tail, cycle, kinds;
} Begun;

#define HAS(begun, kind) ((begun)->kinds >> (kind) & 1)
#define FOR_BEGUN(lane, job, begun)                                                                  \
  for (uint32_t at_ = (begun)->tail, job, lane;                                                      \
       at_-- > 0 && (lane = (begun)->queue[2 * at_], job = (begun)->queue[2 * at_ + 1],              \
                     jobs->cycle[job] == (begun)->cycle);)

// faults.c
void begin(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane);
void end_transients(Machine *machine, const Jobs *jobs, const Begun *begun);

// stuck.c
void stick(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane);
void unstick(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane);
void hold_stuck(Machine *machine);

// domains.c
void reset_domains(Machine *machine, const Jobs *jobs, const Begun *begun);
void tick_early(Machine *machine, const Jobs *jobs, const Begun *begun);
void lose_tick(Machine *machine, const Jobs *jobs, const Begun *begun);

// outcome.c
V accepted(const V *n);
void take_data(const V *n, unsigned lane, uint64_t *row, uint32_t parts);
void settle(Machine *machine, const Jobs *jobs, unsigned lane, int outcome, uint32_t cycle);
void conclude(Machine *machine, const Jobs *jobs, const Limits *limits, unsigned lane, int is_golden);
void observe(Machine *machine, const Jobs *jobs, const Limits *limits, uint32_t cycle);

// retire.c
int free_lane(const Machine *machine);
void retire(Machine *machine, const Jobs *jobs, const Limits *limits);
void expire(Machine *machine, const Jobs *jobs, const Limits *limits, const uint32_t *queue, uint32_t *head,
            uint32_t tail, uint32_t cycle);
void wipe_leaving(Machine *machine);
