// SPDX-License-Identifier: Apache-2.0
#include "rails.h"

#include <algorithm>
#include <cmath>

#include "uart.h"

namespace twin {
namespace {

constexpr double LatchUpHold = 0.3;  // A latch-up lasts until the rail has fallen below this.
constexpr double Discharged = 0.01;  // Below this a rail counts as empty.
constexpr double Rounding = 1e-9;    // At the cycle of a crossing the level may be short of it.

}  // namespace

bool Rail::is_driven() const {
  return (enable_ || fault_ == RailFault::StuckOn) && fault_ != RailFault::Drop;
}

double Rail::ramp() const {
  const double ramp = fault_ == RailFault::Early  ? limits_.early_ramp
                      : fault_ == RailFault::Late ? limits_.late_ramp
                                                  : limits_.ramp;
  return std::max(ramp, 1.0);
}

double Rail::level(uint64_t now) const {
  const double passed = static_cast<double>(now - base_);
  if (is_driven()) return std::min(base_level_ + passed / ramp(), 1.0);
  const double level = base_level_ * std::exp(-passed / limits_.discharge_tau);
  return level < Discharged ? 0.0 : level;
}

// When the level reaches `level`, from below while driven and from above while not.
uint64_t Rail::crossing(double level) const {
  const bool is_ahead = is_driven() ? base_level_ < level : base_level_ > level;
  if (!is_ahead) return Never;
  const double passed = is_driven() ? (level - base_level_) * ramp()
                                    : limits_.discharge_tau * std::log(base_level_ / level);
  return base_ + static_cast<uint64_t>(std::ceil(passed));
}

void Rail::rebase(uint64_t now) {
  base_level_ = level(now);
  base_ = now;
}

void Rail::set_enable(uint64_t now, bool enable) {
  if (enable == enable_) return;
  advance(now);
  rebase(now);
  enable_ = enable;
}

void Rail::set_fault(uint64_t now, RailFault fault) {
  advance(now);
  rebase(now);
  fault_ = fault;
  pulse_ends_ = now + (fault == RailFault::ShortGlitch  ? limits_.short_glitch
                       : fault == RailFault::LongGlitch ? limits_.long_glitch
                       : fault == RailFault::ShortSurge ? limits_.short_surge
                                                        : 0);
  advance(now);
}

void Rail::advance(uint64_t now) {
  const double present = level(now);
  const bool was_above = is_above_;
  const bool is_full = present + Rounding >= limits_.on_level;
  is_above_ = is_above_ ? present - Rounding > limits_.off_level : is_full;
  if (is_above_ && !was_above) above_since_ = now;
  if (fault_ == RailFault::LatchUp && is_full) is_latched_up_ = true;
  if (present - Rounding <= LatchUpHold) is_latched_up_ = false;
}

uint64_t Rail::next(uint64_t now) const {
  uint64_t next = Never;
  for (const uint64_t at : {crossing(limits_.on_level), crossing(limits_.off_level),
                            crossing(LatchUpHold), pulse_ends_, above_since_ + limits_.pg_delay}) {
    if (at > now) next = std::min(next, at);
  }
  return next;
}

bool Rail::power_good(uint64_t now) const {
  if (fault_ == RailFault::PowerGoodStuck) return true;
  if (fault_ == RailFault::NoPowerGood) return false;
  const bool is_glitch = fault_ == RailFault::ShortGlitch || fault_ == RailFault::LongGlitch;
  if (is_glitch && now < pulse_ends_) return false;
  return is_above_ && now - above_since_ >= limits_.pg_delay;
}

bool Rail::over_current(uint64_t now) const {
  return (fault_ == RailFault::ShortSurge && now < pulse_ends_) || is_latched_up_;
}

Rails::Rails(const std::vector<RailLimits>& limits) : next_(Never) {
  for (const RailLimits& each : limits) rails_.emplace_back(each);
}

void Rails::set_enables(uint64_t now, uint64_t enables) {
  for (size_t n = 0; n < rails_.size(); ++n) {
    if ((enables ^ enables_) >> n & 1) rails_[n].set_enable(now, enables >> n & 1);
  }
  enables_ = enables;
  look(now);
}

void Rails::set_fault(uint64_t now, size_t rail, RailFault fault) {
  rails_.at(rail).set_fault(now, fault);
  look(now);
}

void Rails::advance(uint64_t now) {
  for (Rail& rail : rails_) rail.advance(now);
  look(now);
}

void Rails::look(uint64_t now) {
  next_ = Never;
  power_good_ = over_current_ = 0;
  for (size_t n = 0; n < rails_.size(); ++n) {
    next_ = std::min(next_, rails_[n].next(now));
    power_good_ |= static_cast<uint64_t>(rails_[n].power_good(now)) << n;
    over_current_ |= static_cast<uint64_t>(rails_[n].over_current(now)) << n;
  }
}

}  // namespace twin
