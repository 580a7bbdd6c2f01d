// SPDX-License-Identifier: Apache-2.0
// What hangs on the enable pins: converters, their loads, and the comparators that watch them.
//
// The same plant as the benches' (hdl/tb/rail_plant.py), with its levels as functions of time, so
// that it costs nothing while no line changes. Time is in clock cycles, voltages are shares of
// nominal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace twin {

enum class RailFault : uint8_t {
  None,
  NoPowerGood,
  PowerGoodStuck,
  Early,
  Late,
  Drop,
  LatchUp,
  ShortGlitch,
  LongGlitch,
  ShortSurge,
  StuckOn,
};

struct RailLimits {
  double ramp = 1;  // From enable to nominal, at a constant slope.
  double early_ramp = 1;
  double late_ramp = 1;
  double discharge_tau = 1;
  double on_level = 0.9;   // The comparator rises here.
  double off_level = 0.8;  // And falls here.
  uint64_t pg_delay = 0;   // Of the rising comparator.
  uint64_t short_glitch = 1;
  uint64_t long_glitch = 1;
  uint64_t short_surge = 1;
};

class Rail {
 public:
  explicit Rail(const RailLimits& limits) : limits_(limits) {}

  void set_enable(uint64_t now, bool enable);
  void set_fault(uint64_t now, RailFault fault);
  void advance(uint64_t now);
  uint64_t next(uint64_t now) const;  // When something changes by itself after `now`; or Never.
  bool power_good(uint64_t now) const;
  bool over_current(uint64_t now) const;
  double level(uint64_t now) const;

 private:
  bool is_driven() const;
  double ramp() const;
  void rebase(uint64_t now);
  uint64_t crossing(double level) const;

  RailLimits limits_;
  RailFault fault_ = RailFault::None;
  bool enable_ = false;
  double base_level_ = 0;  // At base_.
  uint64_t base_ = 0;
  bool is_above_ = false;  // The comparator before its delay.
  uint64_t above_since_ = 0;
  uint64_t pulse_ends_ = 0;  // Of a glitch or surge.
  bool is_latched_up_ = false;
};

// All rails of a board, by number.
class Rails {
 public:
  explicit Rails(const std::vector<RailLimits>& limits);

  void set_enables(uint64_t now, uint64_t enables);
  void set_fault(uint64_t now, size_t rail, RailFault fault);
  void advance(uint64_t now);
  uint64_t next() const { return next_; }
  uint64_t power_good() const { return power_good_; }
  uint64_t over_current() const { return over_current_; }
  size_t count() const { return rails_.size(); }

 private:
  void look(uint64_t now);

  std::vector<Rail> rails_;
  uint64_t enables_ = 0;
  uint64_t power_good_ = 0;
  uint64_t over_current_ = 0;
  uint64_t next_;
};

}  // namespace twin
