// SPDX-License-Identifier: Apache-2.0
#include "uart.h"

#include <algorithm>
#include <cmath>

namespace twin {
namespace {

constexpr unsigned FrameBits = 10;         // Start, eight of data, stop.
constexpr double ShortestBreakBits = 24;  // A break that is begun and ended at once lasts so long.

uint64_t cycle(double at) { return static_cast<uint64_t>(std::llround(at)); }

}  // namespace

void HostTransmitter::drop_queue() {
  std::deque<Item> kept;  // Only octets are lost: the rate and the break hold.
  for (const Item& item : queue_) {
    if (item.kind == Kind::Octet) ++taken_;
    else kept.push_back(item);
  }
  queue_ = kept;
  passed_.clear();
}

bool HostTransmitter::advance(uint64_t now) {
  for (;;) {
    if (state_ == State::Break) {
      if (now < shortest_break_ || queue_.empty()) {
        next_ = now < shortest_break_ ? shortest_break_ : Never;
        return level_;
      }
      within_break(now);
    } else if (state_ != State::Idle && now < next_) {
      return level_;
    } else if (state_ == State::Frame && bit_ < FrameBits) {
      next_edge();
    } else {
      state_ = State::Idle;
      next_ = Never;
      if (passed_.empty() && queue_.empty()) return level_;
      begin_next(now);
    }
  }
}

// Octets do not leave while the wire is held low: they are lost, as a UART would send them.
void HostTransmitter::within_break(uint64_t now) {
  const Item item = queue_.front();
  queue_.pop_front();
  if (item.kind == Kind::Octet) ++taken_;
  if (item.kind == Kind::Rate) cycles_per_bit_ = item.cycles_per_bit;
  if (item.kind == Kind::BreakEnd) {
    level_ = true;
    wait_until(static_cast<double>(now) + 2 * cycles_per_bit_, State::Pause);
  }
}

void HostTransmitter::begin_next(uint64_t now) {
  if (!passed_.empty()) {
    frame_ = 0x200u | passed_.front() << 1;
    passed_.pop_front();
    begin_frame(std::max(free_at_, static_cast<double>(now) - 1));
    return;
  }
  const Item item = queue_.front();
  queue_.pop_front();
  switch (item.kind) {
    case Kind::Octet: begin_octet(now, item.value); break;
    case Kind::Rate: cycles_per_bit_ = item.cycles_per_bit; break;
    case Kind::BreakBegin:
      level_ = false;
      state_ = State::Break;
      shortest_break_ = cycle(static_cast<double>(now) + ShortestBreakBits * cycles_per_bit_);
      break;
    case Kind::BreakEnd: break;
  }
}

void HostTransmitter::begin_octet(uint64_t now, uint8_t value) {
  ++taken_;
  const Line::Passed passed = line_.pass(value);
  passed_.insert(passed_.end(), passed.octets, passed.octets + passed.count);
  const double from = std::max(free_at_, static_cast<double>(now) - 1);
  if (passed.pause_s > 0) {
    free_at_ = from + passed.pause_s * clock_hz_;
    wait_until(free_at_, State::Pause);
  } else if (passed.count == 0) {  // It takes its time on the wire although it does not arrive.
    free_at_ = from + FrameBits * cycles_per_bit_;
    wait_until(free_at_, State::Pause);
  }
}

void HostTransmitter::begin_frame(double at) {
  start_ = at;
  free_at_ = at + FrameBits * cycles_per_bit_;
  bit_ = 0;
  state_ = State::Frame;
  next_edge();
}

void HostTransmitter::wait_until(double at, State state) {
  state_ = state;
  next_ = cycle(at);
}

// Take the wire to the level of the next bit, and past those that have the same.
void HostTransmitter::next_edge() {
  level_ = frame_ >> bit_ & 1;
  do ++bit_;
  while (bit_ < FrameBits && (frame_ >> bit_ & 1) == level_);
  next_ = cycle(start_ + bit_ * cycles_per_bit_);
}

bool HostReceiver::advance(uint64_t now, bool level) {
  if (is_hunting()) {
    if (was_high_ && !level) {
      start_ = static_cast<double>(now);
      bit_ = 0;
      next_ = cycle(start_ + cycles_per_bit_ / 2);
    }
    was_high_ = level;
    return false;
  }
  if (now < next_) return false;
  if (bit_ == 0 && level) {  // Too short for a start bit.
    next_ = Never;
    was_high_ = true;
    return false;
  }
  if (bit_ >= 1 && bit_ <= 8) value_ = static_cast<uint8_t>(value_ >> 1 | level << 7);
  if (++bit_ < FrameBits) {
    next_ = cycle(start_ + (bit_ + 0.5) * cycles_per_bit_);
    return false;
  }
  if (!level) ++framing_errors_;
  next_ = Never;
  was_high_ = level;  // After a frame without stop bit the wire has to rise first.
  return true;
}

}  // namespace twin
