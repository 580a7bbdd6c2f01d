// SPDX-License-Identifier: Apache-2.0
// What happens to octets on a line that is not perfect: seeded, and by the place of each octet.
//
// Faults are of whole octets, between the host and its UART: a flip is one of the eight data bits, a
// drop is the time of a frame in which the wire rests, and every frame has its start and stop bit. Only
// a cut of the wire to the payload takes effect within a frame.
#pragma once

#include <cstdint>
#include <vector>

namespace twin {

// Chances per octet. They are drawn from the seed and the octet's number, so they do not depend on
// when the octet passes.
struct LineFaults {
  double flip = 0;       // One of its bits is inverted.
  double drop = 0;       // It does not arrive.
  double duplicate = 0;  // It arrives twice.
  double insert = 0;     // A random octet arrives before it.
  double stall = 0;      // The line pauses before it.
  double stall_s = 0;    // For so long.
};

class Line {
 public:
  struct Counts {
    uint64_t octets = 0;
    uint64_t flips = 0, drops = 0, duplicates = 0, inserts = 0, stalls = 0, cut = 0;
  };

  Line(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  void set_faults(const LineFaults& faults, uint64_t seed) {
    faults_ = faults;
    seed_ = seed;
    number_ = 0;
  }
  void cut(bool is_cut) { is_cut_ = is_cut; }
  bool is_cut() const { return is_cut_; }

  struct Passed {
    unsigned count = 0;
    uint8_t octets[3] = {};
    double pause_s = 0;
  };

  // What arrives of `octet`.
  Passed pass(uint8_t octet);
  const Counts& counts() const { return counts_; }

 private:
  bool happens(double chance_of_it, uint64_t what);

  uint64_t seed_;
  uint64_t stream_;
  uint64_t number_ = 0;
  bool is_cut_ = false;
  LineFaults faults_;
  Counts counts_;
};

}  // namespace twin
