// SPDX-License-Identifier: Apache-2.0
#include "leap.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "Vtwin___024root.h"
#include "counters.h"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace twin {
namespace {

constexpr size_t Block = 64;  // Octets that are compared at a time.

struct Member {
  std::string_view name;  // Of Verilator: "TOP__DOT__u_link__DOT__count_q".
  size_t at;
  size_t octets;
};

struct Parameter {
  std::string_view name;
  int64_t value;
};

// Written by fw_tools/sim/members.py from the model; it may be none.
constexpr Member Members[] = {
    {"", 0, 0},
#define MEMBER(name) {#name, offsetof(Vtwin___024root, name), sizeof(Vtwin___024root::name)},
#define PARAMETER(name)
#include "Vtwin_members.h"
#undef MEMBER
#undef PARAMETER
};

constexpr Parameter Parameters[] = {
    {"", 0},
#define MEMBER(name)
#define PARAMETER(name) {#name, static_cast<int64_t>(Vtwin___024root::name)},
#include "Vtwin_members.h"
#undef MEMBER
#undef PARAMETER
};

// A path as Verilator writes it.
std::string flat(std::string_view path) {
  std::string name;
  for (const char c : path) name += c == '.' ? std::string("__DOT__") : std::string(1, c);
  return name;
}

bool ends_with(std::string_view name, std::string_view path) {
  return name.ends_with("__DOT__" + flat(path));
}

std::optional<int64_t> value(const Amount& amount, std::string_view counter) {
  if (*amount.parameter == '\0') return amount.plus;
  const std::string_view scope = counter.substr(0, counter.rfind("__DOT__"));
  const std::string name = std::string(scope) + "__DOT__" + amount.parameter;
  for (const Parameter& each : Parameters) {
    if (each.name == name) return each.value + amount.plus;
  }
  return std::nullopt;
}

uint64_t mask(size_t octets) { return (uint64_t{1} << 8 * octets) - 1; }

// Of a little-endian machine. No member is within the last octets of the model.
uint64_t word(const uint8_t* octets) {
  uint64_t value;
  std::memcpy(&value, octets, sizeof value);
  return value;
}

void set_word(uint8_t* octets, uint64_t mask, uint64_t value) {
  value = (word(octets) & ~mask) | (value & mask);
  std::memcpy(octets, &value, sizeof value);
}

// How many steps more leave a counter short of the bound ahead of it, which it was before its last step too.
uint64_t steps_left(int64_t value, int64_t step, const std::vector<int64_t>& bounds) {
  if (bounds.empty()) return UINT64_MAX;
  int64_t left = -1;
  for (const int64_t bound : bounds) {
    const int64_t way = step > 0 ? bound - value + step : value - step - bound;  // Before the last step.
    if (way >= 0 && (left < 0 || way < left)) left = way;
  }
  if (left <= 0) return 0;
  const int64_t steps = std::abs(step) == 1 ? left - 1 : (left - 1) / std::abs(step);
  return static_cast<uint64_t>(std::max<int64_t>(steps - 1, 0));
}

}  // namespace

Leap::Leap(Vtwin___024root& root)
    : model_(reinterpret_cast<uint8_t*>(&root)), before_(sizeof root), restless_(model_) {
  for (const Member& member : Members) {
    for (const CounterRule& rule : CounterRules) {
      if (!ends_with(member.name, rule.path) || member.octets > 4) continue;
      std::vector<int64_t> bounds;
      for (const Amount& bound : rule.bounds) {
        if (const auto found = value(bound, member.name)) bounds.push_back(*found);
      }
      const auto step = value(rule.step, member.name);
      const bool is_known = step && bounds.size() == rule.bounds.size();
      if (is_known) counters_.push_back({member.at, mask(member.octets), *step, bounds});
    }
  }
  leave_out_memories();
}

// What is compared lies between the memories.
void Leap::leave_out_memories() {
  size_t at = 0;
  for (const Member& member : Members) {  // In the order in which they lie.
    const auto is_this = [&](const char* path) { return ends_with(member.name, path); };
    if (std::none_of(MemoryPaths.begin(), MemoryPaths.end(), is_this) || member.at < at) continue;
    if (member.at > at) compared_.push_back({at, member.at - at});
    at = member.at + member.octets;
  }
  compared_.push_back({at, before_.size() - at});
}

void Leap::remember() {
  for (const Part& part : compared_) std::memcpy(&before_[part.at], model_ + part.at, part.octets);
}

// Tell whether the counter stood still or took its step, which then counts as no difference.
bool Leap::has_stepped(Counter& counter) {
  const uint64_t was = word(&before_[counter.at]) & counter.mask;
  counter.value = word(model_ + counter.at) & counter.mask;
  counter.is_moving = counter.value != was;
  if (!counter.is_moving) return true;
  set_word(&before_[counter.at], counter.mask, counter.value);
  return counter.value == was + static_cast<uint64_t>(counter.step);
}

bool Leap::is_same(const Part& part) {
  const uint8_t* was = &before_[part.at];
  const uint8_t* is = model_ + part.at;
  if (std::memcmp(was, is, part.octets) == 0) return true;
  size_t at = 0;
  while (at + Block <= part.octets && std::memcmp(was + at, is + at, Block) == 0) at += Block;
  restless_ = std::mismatch(is + at, is + part.octets, was + at).first;
  restless_was_ = *restless_;
  return false;
}

uint64_t Leap::leap(uint64_t most) {
  bool is_running = false;  // A payload's clock always does; the time of a design at rest is not to fly.
  for (Counter& counter : counters_) {
    if (!has_stepped(counter)) return 0;
    if (!counter.is_moving) continue;
    most = std::min(most, steps_left(static_cast<int64_t>(counter.value), counter.step, counter.bounds));
    is_running = true;
  }
  const auto is_same_part = [&](const Part& part) { return is_same(part); };
  const bool is_leap = is_running && most != 0 && std::all_of(compared_.begin(), compared_.end(), is_same_part);
  if (!is_leap) return 0;
  for (const Counter& counter : counters_) {
    if (!counter.is_moving) continue;
    const uint64_t value = counter.value + most * static_cast<uint64_t>(counter.step);
    set_word(model_ + counter.at, counter.mask, value);
  }
  return most;
}

}  // namespace twin
