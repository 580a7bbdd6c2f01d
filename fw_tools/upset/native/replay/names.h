// SPDX-License-Identifier: Apache-2.0
// The names of a model, and the bits behind them.
#pragma once
#include <string>
#include <unordered_map>
#include <utility>

#include "bits.h"
#include "verilated_syms.h"

namespace replay {

inline std::string plain(std::string name) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"__DOT__", "."}, {"__BRA__", "["}, {"__KET__", "]"}})
    for (size_t at; (at = name.find(from)) != std::string::npos;) name.replace(at, from.size(), to);
  return name;
}

class Names {
 public:
  Names(VerilatedContext& context, const std::string& top) {
    const std::string below = "TOP." + top;
    for (const auto& [name, scope] : *context.scopeNameMap()) {
      if (!scope->varsp()) continue;
      std::string path = plain(name);
      if (path == "TOP" || path == "TOP.TOP")
        path = "port ";  // A port of the top is a copy inside it.
      else if (path == below || path.rfind(below + ".", 0) == 0)
        path = path == below ? "" : path.substr(below.size() + 1) + ".";
      else
        continue;
      for (const auto& [variable, entry] : *scope->varsp()) variables_[path + plain(variable)] = &entry;
    }
  }

  bool has(const std::string& name) const { return variables_.count(name) != 0; }

  // A bit of a signal, as the netlist counts: in an array the rightmost word comes first.
  Bit bit(const std::string& name, uint32_t index) const {
    const VerilatedVar& variable = find(name);
    const uint32_t width = variable.entBits();
    return at(variable, name, from_right(variable.unpackedRanges(), index / width), index % width);
  }

  // A bit of a memory: its words count from the lowest index on, and may be arrays themselves.
  Bit bit_of_word(const std::string& name, uint32_t word, uint32_t index) const {
    const VerilatedVar& variable = find(name);
    const uint32_t width = variable.entBits();
    const Ranges& ranges = variable.unpackedRanges();
    const Ranges inner(ranges.begin() + !ranges.empty(), ranges.end());
    return at(variable, name, word * count(inner) + from_right(inner, index / width), index % width);
  }

 private:
  using Ranges = std::vector<VerilatedRange>;
  std::unordered_map<std::string, const VerilatedVar*> variables_;

  const VerilatedVar& find(const std::string& name) const {
    const auto found = variables_.find(name);
    if (found == variables_.end()) fail("the model has no " + name);
    return *found->second;
  }

  static size_t count(const Ranges& ranges) {
    size_t words = 1;
    for (const VerilatedRange& range : ranges) words *= static_cast<size_t>(range.elements());
    return words;
  }

  // The model keeps the words of an array from the lowest index on.
  static size_t from_right(const Ranges& ranges, size_t position) {
    size_t word = 0, stride = 1;
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
      const size_t words = static_cast<size_t>(range->elements()), place = position % words;
      word += stride * (range->left() >= range->right() ? place : words - 1 - place);
      position /= words;
      stride *= words;
    }
    return position ? stride : word;  // Beyond the end.
  }

  static Bit at(const VerilatedVar& variable, const std::string& name, size_t word, uint32_t index) {
    if (word >= count(variable.unpackedRanges()))
      fail(name + " has no bit " + std::to_string(index) + " of word " + std::to_string(word) + " in the model");
    auto* octets = static_cast<uint8_t*>(variable.datap()) + word * variable.entSize();
    return {octets + index / 8, static_cast<uint8_t>(1u << index % 8)};
  }
};

}  // namespace replay
