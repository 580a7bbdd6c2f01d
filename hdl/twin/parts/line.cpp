// SPDX-License-Identifier: Apache-2.0
#include "line.h"

#include "random.h"

namespace twin {

bool Line::happens(double chance_of_it, uint64_t what) {
  return chance_of_it > 0 && chance(seed_, stream_ << 8 | what, number_) < chance_of_it;
}

Line::Passed Line::pass(uint8_t octet) {
  Passed passed;
  ++counts_.octets;
  ++number_;
  if (is_cut_) {
    ++counts_.cut;
    return passed;
  }
  const uint64_t bits = scramble(scramble(seed_ ^ scramble(stream_)) ^ ~number_);
  if (happens(faults_.stall, 's')) {
    ++counts_.stalls;
    passed.pause_s = faults_.stall_s;
  }
  if (happens(faults_.insert, 'i')) {
    ++counts_.inserts;
    passed.octets[passed.count++] = static_cast<uint8_t>(bits >> 8);
  }
  if (happens(faults_.drop, 'd')) {
    ++counts_.drops;
    return passed;
  }
  if (happens(faults_.flip, 'f')) {
    ++counts_.flips;
    octet ^= static_cast<uint8_t>(1u << (bits & 7));
  }
  passed.octets[passed.count++] = octet;
  if (happens(faults_.duplicate, 'u')) {
    ++counts_.duplicates;
    passed.octets[passed.count++] = octet;
  }
  return passed;
}

}  // namespace twin
