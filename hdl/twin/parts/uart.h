// SPDX-License-Identifier: Apache-2.0
// The host's end of the UART, bit by bit: 8N1 at a rate of its own, and breaks.
//
// A host at another rate than the payload sends and sees garbage, as on a board. What is sent waits
// in a queue in which changes of the rate and breaks keep their place among the octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "line.h"

namespace twin {

constexpr uint64_t Never = ~0ULL;

class HostTransmitter {
 public:
  HostTransmitter(double clock_hz, Line& line) : clock_hz_(clock_hz), line_(line) {}

  void octet(uint8_t value) { queue_.push_back({Kind::Octet, value, 0}); }
  void rate(double cycles_per_bit) { queue_.push_back({Kind::Rate, 0, cycles_per_bit}); }
  void break_begin() { queue_.push_back({Kind::BreakBegin, 0, 0}); }
  void break_end() { queue_.push_back({Kind::BreakEnd, 0, 0}); }
  void drop_queue();  // The client threw it away, or went.

  // To be called after something was queued and at `next()`; returns the level of the wire.
  bool advance(uint64_t now);
  uint64_t next() const { return next_; }
  bool level() const { return level_ || line_.is_cut(); }  // A cut wire is pulled up.
  bool is_breaking() const { return state_ == State::Break; }
  bool is_idle() const { return queue_.empty() && state_ == State::Idle; }
  double cycles_per_bit() const { return cycles_per_bit_; }
  uint64_t octets_taken() const { return taken_; }  // From the queue, sent or lost.
  size_t octets_waiting() const { return queue_.size(); }

 private:
  enum class Kind : uint8_t { Octet, Rate, BreakBegin, BreakEnd };
  enum class State : uint8_t { Idle, Frame, Pause, Break };
  struct Item {
    Kind kind;
    uint8_t value;
    double cycles_per_bit;
  };

  void begin_next(uint64_t now);
  void within_break(uint64_t now);
  void begin_octet(uint64_t now, uint8_t value);
  void begin_frame(double at);
  void wait_until(double at, State state);
  void next_edge();

  double clock_hz_;
  Line& line_;
  std::deque<Item> queue_;
  std::deque<uint8_t> passed_;  // Of an octet that a fault made into several.
  State state_ = State::Idle;
  bool level_ = true;
  double cycles_per_bit_ = 16;
  double free_at_ = 0;  // When the last stop bit ends, exactly.
  double start_ = 0;    // Of the frame.
  unsigned frame_ = 0;  // Start bit, data and stop bit, the first to go lowest.
  unsigned bit_ = 0;
  uint64_t shortest_break_ = 0;  // It ends no earlier.
  uint64_t next_ = Never;
  uint64_t taken_ = 0;
};

class HostReceiver {
 public:
  // To be called at every edge of the wire while `is_hunting`, and at `next()`. Tells whether an
  // octet has come, which is then in `value`; a frame without stop bit is handed on as it was read.
  bool advance(uint64_t now, bool level);
  void rate(double cycles_per_bit) { cycles_per_bit_ = cycles_per_bit; }
  bool is_hunting() const { return next_ == Never; }
  uint64_t next() const { return next_; }
  uint8_t value() const { return value_; }
  uint64_t framing_errors() const { return framing_errors_; }

 private:
  double cycles_per_bit_ = 16;
  double start_ = 0;
  unsigned bit_ = 0;
  uint8_t value_ = 0;
  bool was_high_ = true;
  uint64_t next_ = Never;
  uint64_t framing_errors_ = 0;
};

}  // namespace twin
