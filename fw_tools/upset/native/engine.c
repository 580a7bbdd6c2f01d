// SPDX-License-Identifier: Apache-2.0
// Runs injections through the gates: fills lanes, watches them, classes them, retires those that
// are equal to the golden lane again and fills them anew.
#include "engine.h"
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

enum { UNSAFE_STATE, SILENT, HANG, DETECTED, OUTAGE, WAS_CORRECTED, TIMING, LATENT, MASKED };
enum { FLIP, TRANSIENT };
#define NEVER UINT32_MAX
#define CHECK_EVERY 4   // Clocks between looks for lanes that are golden again.
#define SNAPSHOTS 64    // Of the golden machine, over the whole run.

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

static Machine *current;  // The gates call back for memories.

// ---- memories

static inline uint64_t *own_word(Store *store, const Memory *memory, unsigned lane, uint32_t word) {
  return store->own + ((uint64_t)lane * memory->depth + word) * store->parts;
}

static inline int holds_own(const Store *store, unsigned lane, uint32_t word) {
  return store->differs[(uint64_t)lane * store->bitset + word / 64] >> (word % 64) & 1;
}

static const uint64_t *seen(Store *store, const Memory *memory, unsigned lane, uint32_t word) {
  if (holds_own(store, lane, word)) return own_word(store, memory, lane, word);
  return store->golden + (uint64_t)word * store->parts;
}

static void set_own(Store *store, const Memory *memory, unsigned lane, uint32_t word,
                    const uint64_t *value) {
  const uint64_t *golden = store->golden + (uint64_t)word * store->parts;
  uint64_t *bits = &store->differs[(uint64_t)lane * store->bitset + word / 64];
  int differs = memcmp(golden, value, store->parts * 8) != 0, did = *bits >> (word % 64) & 1;
  if (differs) memcpy(own_word(store, memory, lane, word), value, store->parts * 8);
  if (differs == did) return;
  *bits ^= UINT64_C(1) << (word % 64);
  store->count[lane] += differs ? 1 : -1u;
  put_bit(&store->dirty, lane, store->count[lane] != 0);
}

static void forget_lane(Machine *machine, unsigned lane) {
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    Store *store = &machine->stores[m];
    if (!store->count[lane]) continue;
    memset(store->differs + (uint64_t)lane * store->bitset, 0, store->bitset * 8);
    store->count[lane] = 0;
    put_bit(&store->dirty, lane, 0);
  }
}

static uint32_t word_at(const Memory *memory, const uint32_t *nets, const V *n, unsigned lane) {
  uint32_t word = 0;
  for (uint32_t bit = 0; bit < memory->address_bits; bit++)
    word |= (uint32_t)bit_of(&n[nets[bit]], lane) << bit;
  return word - memory->first_address;  // Beyond the end: wraps to a large number.
}

static V other_address(const Memory *memory, const uint32_t *nets, const V *n) {
  V differs = everywhere(0);
  for (uint32_t bit = 0; bit < memory->address_bits; bit++)
    differs |= n[nets[bit]] ^ spread_golden(&n[nets[bit]]);
  return differs;
}

void read_port(uint32_t index, const uint32_t *address, const uint32_t *data, V *n) {
  const Memory *memory = &MEMORIES[index];
  Store *store = &current->stores[index];
  uint32_t word = word_at(memory, address, n, 0);
  const uint64_t *golden = word < memory->depth ? store->golden + (uint64_t)word * store->parts : 0;
  for (uint32_t bit = 0; bit < memory->width; bit++)
    n[data[bit]] = everywhere(golden ? golden[bit / 64] >> (bit % 64) : 0);
  V single = (other_address(memory, address, n) | store->dirty) & current->active;
  if (!any(&single)) return;
  FOR_LANES(lane, single) {
    uint32_t own = word_at(memory, address, n, lane);
    const uint64_t *value = own < memory->depth ? seen(store, memory, lane, own) : 0;
    for (uint32_t bit = 0; bit < memory->width; bit++)
      put_bit(&n[data[bit]], lane, value ? value[bit / 64] >> (bit % 64) & 1 : 0);
  }
}

typedef struct {
  uint32_t word;
  uint64_t enable[16], data[16];
} Write;

static Write write_of(const Memory *memory, const uint32_t *nets, const V *n, unsigned lane) {
  Write write = {.word = word_at(memory, nets, n, lane)};
  const uint32_t *enable = nets + memory->address_bits, *data = enable + memory->width;
  for (uint32_t bit = 0; bit < memory->width; bit++) {
    write.enable[bit / 64] |= (uint64_t)bit_of(&n[enable[bit]], lane) << (bit % 64);
    write.data[bit / 64] |= (uint64_t)bit_of(&n[data[bit]], lane) << (bit % 64);
  }
  return write;
}

static int merge(const Write *write, const uint64_t *old, uint64_t *value, uint32_t parts) {
  uint64_t any_enable = 0;
  for (uint32_t p = 0; p < parts; p++) {
    value[p] = (old[p] & ~write->enable[p]) | (write->data[p] & write->enable[p]);
    any_enable |= write->enable[p];
  }
  return any_enable != 0;
}

static void write_port(Machine *machine, uint32_t index, const uint32_t *nets) {
  const Memory *memory = &MEMORIES[index];
  Store *store = &machine->stores[index];
  const V *n = machine->n;
  uint32_t pins = memory->address_bits + 2 * memory->width;
  V differs = store->dirty, enabled = everywhere(0);
  for (uint32_t pin = 0; pin < pins; pin++) differs |= n[nets[pin]] ^ spread_golden(&n[nets[pin]]);
  for (uint32_t bit = 0; bit < memory->width; bit++) enabled |= n[nets[memory->address_bits + bit]];
  if (!any(&enabled)) return;
  differs &= machine->active;

  Write golden = write_of(memory, nets, n, 0);
  uint64_t value[16], own[16], kept[16];
  int is_golden = 0;
  if (golden.word < memory->depth)
    is_golden = merge(&golden, store->golden + (uint64_t)golden.word * store->parts, value, store->parts);
  // What each lane will see is settled before golden's word changes under it.
  static __thread struct { unsigned lane; int writes; uint32_t word; uint64_t own[16], kept[16]; } todo[LANES];
  unsigned n_todo = 0;
  FOR_LANES(lane, differs) {
    Write write = write_of(memory, nets, n, lane);
    todo[n_todo].lane = lane;
    todo[n_todo].word = write.word;
    todo[n_todo].writes = write.word < memory->depth &&
                          merge(&write, seen(store, memory, lane, write.word), own, store->parts);
    memcpy(todo[n_todo].own, own, sizeof own);
    if (is_golden) memcpy(kept, seen(store, memory, lane, golden.word), store->parts * 8);
    memcpy(todo[n_todo++].kept, kept, sizeof kept);
  }
  if (is_golden) memcpy(store->golden + (uint64_t)golden.word * store->parts, value, store->parts * 8);
  for (unsigned i = 0; i < n_todo; i++) {
    if (is_golden && !(todo[i].writes && todo[i].word == golden.word))
      set_own(store, memory, todo[i].lane, golden.word, todo[i].kept);
    if (todo[i].writes) set_own(store, memory, todo[i].lane, todo[i].word, todo[i].own);
  }
}

static void write_memories(Machine *machine) {
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    uint32_t pins = MEMORIES[m].address_bits + 2 * MEMORIES[m].width;
    for (uint32_t port = 0; port < MEMORIES[m].writes; port++)
      write_port(machine, m, MEMORIES[m].write_nets + port * pins);
  }
}

// ---- one clock

static const uint8_t *inputs_at(const Machine *machine, uint32_t cycle) {
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

static void drive(Machine *machine, uint32_t cycle) {
  const uint8_t *row = inputs_at(machine, cycle);
  for (uint32_t i = 0; i < N_INPUTS; i++) machine->in[i] = everywhere(row[i]);
  if (is_in_reset(machine, cycle)) hold_in_reset(machine, cycle);
}

static void take_over(Machine *machine, uint32_t cycle) {
  write_memories(machine);
  V *old = machine->q;
  machine->q = machine->d;
  machine->d = old;
  if (is_in_reset(machine, cycle)) hold_in_reset(machine, cycle);
}

static inline V accepted(const V *n) { return N_ACCEPTED ? either(n, ACCEPTED, N_ACCEPTED) : everywhere(1); }

static void take_data(const V *n, unsigned lane, uint64_t *row, uint32_t parts) {
  memset(row, 0, parts * 8);
  for (uint32_t bit = 0; bit < N_DATA; bit++)
    row[bit / 64] |= (uint64_t)bit_of(&n[DATA[bit]], lane) << (bit % 64);
}

// ---- golden

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

static void restore(Machine *machine, uint32_t index) {
  const uint8_t *bits = machine->snapshot_q + (uint64_t)index * N_FLIP_FLOPS;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++) machine->q[i] = everywhere(bits[i]);
  for (uint32_t m = 0; m < N_MEMORIES; m++)
    memcpy(machine->stores[m].golden, machine->snapshot_memories[index * N_MEMORIES + m],
           (uint64_t)MEMORIES[m].depth * machine->stores[m].parts * 8);
}

static void run_golden(Machine *machine) {
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

// `initial` holds an octet for each flip-flop, then for each bit of each memory.
Machine *machine_new(uint32_t cycles, const uint8_t *inputs, const uint8_t *initial) {
  Machine *machine = aligned_alloc(64, (sizeof(Machine) + 63) / 64 * 64);
  memset(machine, 0, sizeof *machine);
  machine->cycles = cycles;
  machine->unsafe_at = NEVER;
  machine->inputs = inputs;
  machine->q = aligned_alloc(64, (N_FLIP_FLOPS + 1) * 64);
  machine->d = aligned_alloc(64, (N_FLIP_FLOPS + 1) * 64);
  machine->n = aligned_alloc(64, (N_SHARED + 1) * 64);
  machine->in = aligned_alloc(64, (N_INPUTS + 1) * 64);
  machine->x = aligned_alloc(64, (uint64_t)(N_GATES + 1) * 64);
  memset(machine->x, 0, (uint64_t)(N_GATES + 1) * 64);
  machine->data_parts = N_DATA ? (N_DATA + 63) / 64 : 1;
  machine->accepted_at = malloc((cycles + 1) * sizeof(uint32_t));
  machine->snapshot_every = cycles / SNAPSHOTS + 1;
  machine->snapshot_q = malloc((uint64_t)(SNAPSHOTS + 1) * (N_FLIP_FLOPS + 1));
  machine->snapshot_memories = calloc((SNAPSHOTS + 1) * (N_MEMORIES + 1), sizeof(uint64_t *));
  machine->stores = aligned_alloc(64, (N_MEMORIES + 1) * ((sizeof(Store) + 63) / 64 * 64));
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    Store *store = &machine->stores[m];
    memset(store, 0, sizeof *store);
    store->parts = (MEMORIES[m].width + 63) / 64;
    store->bitset = (MEMORIES[m].depth + 63) / 64;
    store->golden = calloc((uint64_t)MEMORIES[m].depth * store->parts, 8);
    store->own = malloc((uint64_t)LANES * MEMORIES[m].depth * store->parts * 8);
    store->differs = calloc((uint64_t)LANES * store->bitset, 8);
    store->count = calloc(LANES, sizeof(uint32_t));
  }
  current = machine;
  start_state(machine, initial);
  run_golden(machine);
  return machine;
}

void machine_free(Machine *machine) {
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    free(machine->stores[m].golden);
    free(machine->stores[m].own);
    free(machine->stores[m].differs);
    free(machine->stores[m].count);
  }
  for (uint32_t i = 0; i < machine->snapshots * N_MEMORIES; i++) free(machine->snapshot_memories[i]);
  free(machine->stores);
  free(machine->snapshot_memories);
  free(machine->snapshot_q);
  free(machine->accepted_at);
  free(machine->stream);
  free(machine->q), free(machine->d), free(machine->n), free(machine->in), free(machine->x);
  free(machine);
}

uint32_t machine_unsafe_at(const Machine *machine) { return machine->unsafe_at; }
uint64_t machine_transfers(const Machine *machine) { return machine->golden_count; }

// ---- injections

typedef struct {
  uint32_t count;
  const uint32_t *cycle;   // Not falling.
  const uint8_t *kind;
  const uint32_t *first;   // Places of job i: first[i] to first[i + 1].
  const uint32_t *places;  // Flip-flops, then bits of memories; or gates.
  uint8_t *outcome;
  uint32_t *effect;        // Clocks from the injection to what decided its outcome.
} Jobs;

static void flip(Machine *machine, uint32_t place, unsigned lane, uint32_t cycle) {
  if (place < N_FLIP_FLOPS) {
    if (RESET_INPUT[place] >= 0 && !inputs_at(machine, cycle)[RESET_INPUT[place]]) return;  // It is held.
    put_bit(&machine->q[place], lane, !bit_of(&machine->q[place], lane));
    return;
  }
  place -= N_FLIP_FLOPS;
  uint32_t m = 0;
  for (; place >= MEMORIES[m].width * MEMORIES[m].depth; m++) place -= MEMORIES[m].width * MEMORIES[m].depth;
  Store *store = &machine->stores[m];
  uint32_t word = place / MEMORIES[m].width, bit = place % MEMORIES[m].width;
  uint64_t value[16];
  memcpy(value, seen(store, &MEMORIES[m], lane, word), store->parts * 8);
  value[bit / 64] ^= UINT64_C(1) << (bit % 64);
  set_own(store, &MEMORIES[m], lane, word, value);
}

static int begin(Machine *machine, const Jobs *jobs, uint32_t job, unsigned lane) {
  machine->lanes[lane] = (Lane){.job = job, .began = jobs->cycle[job], .difference = NEVER,
                                .alarm = NEVER, .corrected = NEVER, .safe = NEVER, .slipped = NEVER, .waits_since = NEVER,
                                .hung = NEVER};
  put_bit(&machine->active, lane, 1);
  int is_transient = jobs->kind[job] == TRANSIENT;
  for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; i++)
    if (is_transient) put_bit(&machine->x[jobs->places[i]], lane, 1);
    else flip(machine, jobs->places[i], lane, jobs->cycle[job]);
  return is_transient;
}

static void settle(Machine *machine, const Jobs *jobs, unsigned lane, int outcome, uint32_t cycle) {
  Lane *own = &machine->lanes[lane];
  jobs->outcome[own->job] = (uint8_t)outcome;
  jobs->effect[own->job] = cycle == NEVER ? NEVER : cycle - own->began;
  forget_lane(machine, lane);
  put_bit(&machine->leaving, lane, 1);
  put_bit(&machine->active, lane, 0);
  put_bit(&machine->out_of_step, lane, 0);
}

// A lane has come to its end, or is golden again: what was it?
static void conclude(Machine *machine, const Jobs *jobs, const Limits *limits, unsigned lane, int is_golden) {
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

static void observe(Machine *machine, const Jobs *jobs, const Limits *limits, uint32_t cycle) {
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

static V not_golden(const Machine *machine) {
  V differs = machine->out_of_step;
  for (uint32_t m = 0; m < N_MEMORIES; m++) differs |= machine->stores[m].dirty;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++) {
    differs |= machine->q[i] ^ spread_golden(&machine->q[i]);
    if (i % 64 == 63) {
      V same = machine->active & ~differs;
      if (!any(&same)) break;
    }
  }
  return differs;
}

static void retire(Machine *machine, const Jobs *jobs, const Limits *limits) {
  V differs = not_golden(machine), same = machine->active & ~differs;
  FOR_LANES(lane, same) conclude(machine, jobs, limits, lane, 1);
}

static int free_lane(const Machine *machine) {
  for (unsigned word = 0; word < WORDS; word++) {
    uint64_t free_lanes = ~part_of(&machine->active, word) & (word ? UINT64_MAX : UINT64_MAX - 1);
    if (free_lanes) return (int)(word * 64 + __builtin_ctzll(free_lanes));
  }
  return -1;
}

// ---- passes over time

static void expire(Machine *machine, const Jobs *jobs, const Limits *limits, const uint32_t *queue,
                   uint32_t *head, uint32_t tail, uint32_t cycle) {
  V differs;
  int is_known = 0;
  for (; *head < tail; ++*head) {
    uint32_t lane = queue[2 * *head], job = queue[2 * *head + 1];
    if (jobs->cycle[job] + limits->horizon > cycle) return;
    if (!bit_of(&machine->active, lane) || machine->lanes[lane].job != job) continue;
    if (!is_known) differs = not_golden(machine), is_known = 1;
    conclude(machine, jobs, limits, lane, !bit_of(&differs, lane));
  }
}

static void wipe_leaving(Machine *machine) {
  if (!any(&machine->leaving)) return;
  for (uint32_t i = 0; i < N_FLIP_FLOPS; i++)
    machine->q[i] ^= (machine->q[i] ^ spread_golden(&machine->q[i])) & machine->leaving;
  machine->leaving = everywhere(0);
}

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

static void end_transients(Machine *machine, const Jobs *jobs, const uint32_t *queue, uint32_t tail, uint32_t cycle) {
  for (; tail-- > 0 && jobs->cycle[queue[2 * tail + 1]] == cycle;)
    for (uint32_t job = queue[2 * tail + 1], i = jobs->first[job]; i < jobs->first[job + 1]; i++)
      if (jobs->kind[job] == TRANSIENT) machine->x[jobs->places[i]] = everywhere(0);
}

static uint32_t snapshot_of(const Machine *machine, uint32_t cycle) { return cycle / machine->snapshot_every; }

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
  current = machine;
  uint32_t *todo = malloc((jobs->count + 1) * sizeof(uint32_t));
  uint32_t *queue = malloc((jobs->count + 1) * 2 * sizeof(uint32_t));
  memset(jobs->outcome, 255, jobs->count);
  for (uint32_t job = 0; job < jobs->count; job++) todo[job] = job;
  uint32_t open = jobs->count;
  while (open && !*stop) open = pass(machine, jobs, limits, stop, todo, open, queue, spent);
  free(queue);
  free(todo);
}
