// SPDX-License-Identifier: Apache-2.0
// Bits of a model and rows of them; files of numbers; how a run that cannot go on ends.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace replay {

struct Bit {  // Of a little-endian machine.
  uint8_t* octet;
  uint8_t mask;
  bool get() const { return *octet & mask; }
  void put(bool value) const { *octet = static_cast<uint8_t>(value ? *octet | mask : *octet & ~mask); }
  void flip() const { *octet ^= mask; }
};
using Bits = std::vector<Bit>;  // One bit of the design under all its names.
using Row = std::vector<uint8_t>;

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

template <typename Item>
std::vector<Item> read_items(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail(path + ": cannot be read");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto* items = reinterpret_cast<const Item*>(text.data());
  return {items, items + text.size() / sizeof(Item)};
}

}  // namespace replay
