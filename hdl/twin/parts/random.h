// SPDX-License-Identifier: Apache-2.0
// Random numbers that depend on a seed and a place alone, so that a run repeats whatever its timing.
#pragma once

#include <cstdint>

namespace twin {

// SplitMix64 (Steele, Lea, Flood 2014): a bijective scrambler of 64 bits.
inline uint64_t scramble(uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// A number in [0, 1) for place `place` of the stream `stream`.
inline double chance(uint64_t seed, uint64_t stream, uint64_t place) {
  return static_cast<double>(scramble(scramble(seed ^ scramble(stream)) ^ place) >> 11) * 0x1p-53;
}

}  // namespace twin
