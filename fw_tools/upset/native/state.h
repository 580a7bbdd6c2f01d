// SPDX-License-Identifier: Apache-2.0
// The state of a machine: what golden has done, what each lane holds, and what is to be injected.
#pragma once
#include "engine.h"
#include "lanes.h"

#include <string.h>

enum { UNSAFE_STATE, SILENT, HANG, DETECTED, OUTAGE, WAS_CORRECTED, TIMING, LATENT, MASKED };
enum { FLIP, TRANSIENT };
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
} Store;

typedef struct {
  uint32_t horizon, alarm_window, hang_after;
} Limits;

typedef struct {
  uint32_t cycles;
  const uint8_t *inputs;  // One octet an input and clock.
  V *q, *d, *n, *in, *x;
  Store *stores;
  Lane lanes[LANES];
  V active, out_of_step, leaving;
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
  const uint32_t *places;  // Flip-flops, then bits of memories; or gates.
  uint8_t *outcome;
  uint32_t *effect;        // Clocks from the injection to what decided its outcome.
} Jobs;

// memories.c
const uint64_t *seen(Store *store, const Memory *memory, unsigned lane, uint32_t word);
void set_own(Store *store, const Memory *memory, unsigned lane, uint32_t word, const uint64_t *value);
void forget_lane(Machine *machine, unsigned lane);
void write_memories(Machine *machine);
void use_memories(Machine *machine);

// clock.c
const uint8_t *inputs_at(const Machine *machine, uint32_t cycle);
void drive(Machine *machine, uint32_t cycle);
void take_over(Machine *machine, uint32_t cycle);

// golden.c
void run_golden(Machine *machine, const uint8_t *initial);
uint32_t snapshot_of(const Machine *machine, uint32_t cycle);
void restore(Machine *machine, uint32_t index);

// faults.c: the second returns whether it is a transient.
void end_transients(Machine *machine, const Jobs *jobs, const uint32_t *queue, uint32_t tail, uint32_t cycle);
int begin(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane);

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
