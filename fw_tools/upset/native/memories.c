// SPDX-License-Identifier: Apache-2.0
// Memories: golden's words, and in each lane those that differ.
#include "state.h"

static Machine *current;  // The gates call back for memories.

void use_memories(Machine *machine) { current = machine; }

static inline uint64_t *own_word(Store *store, const Memory *memory, unsigned lane, uint32_t word) {
  return store->own + ((uint64_t)lane * memory->depth + word) * store->parts;
}

static inline int holds_own(const Store *store, unsigned lane, uint32_t word) {
  return store->differs[(uint64_t)lane * store->bitset + word / 64] >> (word % 64) & 1;
}

const uint64_t *seen(Store *store, const Memory *memory, unsigned lane, uint32_t word) {
  if (holds_own(store, lane, word)) return own_word(store, memory, lane, word);
  return store->golden + (uint64_t)word * store->parts;
}

void set_own(Store *store, const Memory *memory, unsigned lane, uint32_t word, const uint64_t *value) {
  const uint64_t *golden = store->golden + (uint64_t)word * store->parts;
  uint64_t *bits = &store->differs[(uint64_t)lane * store->bitset + word / 64];
  int differs = memcmp(golden, value, store->parts * 8) != 0, did = *bits >> (word % 64) & 1;
  if (differs) memcpy(own_word(store, memory, lane, word), value, store->parts * 8);
  if (differs == did) return;
  *bits ^= UINT64_C(1) << (word % 64);
  store->count[lane] += differs ? 1 : -1u;
  put_bit(&store->dirty, lane, store->count[lane] != 0);
}

void forget_lane(Machine *machine, unsigned lane) {
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    Store *store = &machine->stores[m];
    if (!store->count[lane]) continue;
    memset(store->differs + (uint64_t)lane * store->bitset, 0, store->bitset * 8);
    store->count[lane] = 0;
    put_bit(&store->dirty, lane, 0);
  }
}

uint32_t word_at(const Memory *memory, const uint32_t *nets, const V *n, unsigned lane) {
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
  if (word < memory->depth) note_read(index, word);
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
  V differs = store->dirty | store->still, enabled = everywhere(0);
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
    todo[n_todo].writes = !bit_of(&store->still, lane) && write.word < memory->depth &&
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

void write_memories(Machine *machine) {
  for (uint32_t m = 0; m < N_MEMORIES; m++) {
    uint32_t pins = MEMORIES[m].address_bits + 2 * MEMORIES[m].width;
    for (uint32_t port = 0; port < MEMORIES[m].writes; port++)
      write_port(machine, m, MEMORIES[m].write_nets + port * pins);
    machine->stores[m].still = everywhere(0);
  }
}

// Of one lane, in a clock that golden does not have.
void write_alone(Machine *machine, uint32_t index, unsigned lane) {
  const Memory *memory = &MEMORIES[index];
  Store *store = &machine->stores[index];
  uint64_t value[16];
  for (uint32_t port = 0; port < memory->writes; port++) {
    const uint32_t *nets = memory->write_nets + port * (memory->address_bits + 2 * memory->width);
    Write write = write_of(memory, nets, machine->n, lane);
    if (write.word < memory->depth && merge(&write, seen(store, memory, lane, write.word), value, store->parts))
      set_own(store, memory, lane, write.word, value);
  }
}
