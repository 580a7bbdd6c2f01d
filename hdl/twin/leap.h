// SPDX-License-Identifier: Apache-2.0
// Leaps over clocks in which nothing but known counters moves.
//
// A clock that leaves all of the model as it was, but for counters that take their step and are short of their bounds,
// is followed by clocks that do the same, until the first of them is one step short of a bound, or an input changes. So
// the counters are taken there at once. What the model keeps is compared octet by octet in memory, with all that
// Verilator keeps in between; the rules and their conditions stand in counters.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

struct Vtwin___024root;

namespace twin {

class Leap {
 public:
  explicit Leap(Vtwin___024root& root);

  // Before a clock: whether it is watched. It is not while what moved last still moves, nor for a while where one clock
  // after the other was watched in vain: a payload at work costs little more than without leaps.
  bool begin() {
    if (unwatched_ != 0) {
      --unwatched_;
      return false;
    }
    const uint8_t present = *restless_;
    const bool is_moving = present != restless_was_;
    restless_was_ = present;
    if (!is_moving) remember();
    return !is_moving;
  }

  // After a clock that was watched: take the model over up to `most` clocks more; return over how many.
  uint64_t end(uint64_t most) {
    const uint64_t leapt = leap(most);
    in_vain_ = leapt == 0 ? in_vain_ + 1 : 0;
    if (in_vain_ > MostInVain) unwatched_ = Unwatched;
    return leapt;
  }

 private:
  struct Counter {
    size_t at;      // Octets from the start of the model, as in Part.
    uint64_t mask;  // Of its octets in a word.
    int64_t step;
    std::vector<int64_t> bounds;
    uint64_t value = 0;  // After the clock that is watched.
    bool is_moving = false;
  };
  struct Part {
    size_t at;
    size_t octets;
  };

  static constexpr unsigned MostInVain = 8;
  static constexpr unsigned Unwatched = 8;  // Clocks.

  uint64_t leap(uint64_t most);
  void leave_out_memories();
  void remember();
  bool has_stepped(Counter& counter);
  bool is_same(const Part& part);

  uint8_t* model_;
  std::vector<uint8_t> before_;  // The model as it was before the clock, at the same places.
  std::vector<Counter> counters_;
  std::vector<Part> compared_;
  const uint8_t* restless_;  // What was last found to move.
  uint8_t restless_was_ = 0;
  unsigned in_vain_ = 0;    // Clocks that were watched, one after the other.
  unsigned unwatched_ = 0;  // How many more are not.
};

}  // namespace twin
