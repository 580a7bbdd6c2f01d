// SPDX-License-Identifier: Apache-2.0
// A model with its inputs, outputs and state, and what can happen to them.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "Vreplay.h"
#include "jobs.h"
#include "names.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace replay {

struct Reset {
  Bit bit;
  bool level;  // That holds the register.
};

class Design {
 public:
  explicit Design(const std::string& folder) : top_(&context_, "TOP") {
    context_.traceEverOn(VM_TRACE != 0);
    top_.eval();  // Whatever stands in `initial` is done before the state is set.
    read_plan(folder + "/plan.txt");
    stimulus_ = read_items<uint8_t>(folder + "/inputs.bin");
    start(read_items<uint8_t>(folder + "/initial.bin"));
  }

  uint32_t cycles() const { return cycles_; }

  void drive(uint32_t cycle) {
    for (size_t i = 0; i < inputs_.size(); i++) inputs_[i].put(stimulus_[cycle * inputs_.size() + i]);
    top_.eval();
  }

  void begin(const Job& job) {
    if (job.kind == kClockExtra) tick_alone(job);
    for (const uint32_t place : job.places) {
      if (job.kind == kTransient)
        nets_.at(place).flip();
      else if (job.kind == kFlip && !is_held(place))
        for (const Bit& name : state_.at(place)) name.flip();
    }
    top_.eval();
  }

  // In the clock before: from the rising edge on nets will be inverted, or stuck, or a flip-flop is.
  void begin_at_edge(const Job& job) {
    require_faults(job);
    for (const uint32_t place : job.places) arm(job, place);
    clock();
    if (job.kind == kTransient)
      for (const uint32_t place : job.places) armed_[place].put(false);
    drive(job.cycle);
  }

  // The rising edge that ends the clock of an injection.
  void clock_of(const Job& job) {
    if (job.kind == kClockLost) {
      require_faults(job);
      for (const uint32_t member : job.places) still_.at(member).put(true);
    }
    clock();
    for (const uint32_t member : job.places) {
      if (job.kind == kClockLost) still_[member].put(false);
      if (job.kind == kReset) stuck_[member].put(false);
    }
  }

  // The rising edge.
  void clock() {
    dump(5);
    if (clock_)
      clock_->put(true);
    else
      for (const Bit& net : nets_) net.put(false);  // Nothing clears them.
    top_.eval();
    dump(5);
    if (clock_) clock_->put(false);
    top_.eval();
  }

  Row outputs() const {
    Row row((outputs_.size() + 7) / 8);
    for (size_t i = 0; i < outputs_.size(); i++) row[i / 8] |= static_cast<uint8_t>(outputs_[i].get() << i % 8);
    return row;
  }

  Row state() const {
    Row row((state_.size() + 7) / 8);
    for (size_t i = 0; i < state_.size(); i++) row[i / 8] |= static_cast<uint8_t>(state_[i].front().get() << i % 8);
    return row;
  }

  void open_waves(const std::string& file) {
#if VM_TRACE
    top_.trace(&waves_, 99);
    waves_.open(file.c_str());
#else
    fail(file + ": this model has no waves");
#endif
  }

  void close_waves() {
    dump(0);
#if VM_TRACE
    waves_.close();
#endif
  }

 private:
  VerilatedContext context_;
  Vreplay top_;
  Bits clock_storage_;
  const Bit* clock_ = nullptr;
  Bits inputs_, outputs_;
  Bits nets_, armed_;  // Nets that are inverted, and that will be.
  Bits stuck_nets_, stuck_nets_to_;
  Bits stuck_, stuck_to_, resets_to_;  // Of flip-flops.
  Bits still_;  // Flip-flops, then memories.
  std::vector<Bits> state_;  // Flip-flops, then memories.
  std::vector<std::string> registers_;
  std::vector<std::optional<Reset>> resets_;
  Row stimulus_;
  uint32_t cycles_ = 0;
#if VM_TRACE
  VerilatedVcdC waves_;
#endif

  void dump(uint64_t later) {
#if VM_TRACE
    if (waves_.isOpen()) waves_.dump(context_.time());
#endif
    context_.timeInc(later);
  }

  // Lines of a kind, a name, and a number: of a bit, or of words and bits a word.
  void read_plan(const std::string& path) {
    std::ifstream plan(path);
    std::string kind, name;
    uint32_t number = 0, bits = 0;
    plan >> name >> cycles_;
    const Names names(context_, name);
    while (plan >> kind >> name >> number) {
      if (kind == "clock") clock_storage_ = {names.bit("port " + name, number)};
      else if (kind == "input") inputs_.push_back(names.bit("port " + name, number));
      else if (kind == "output") outputs_.push_back(names.bit("port " + name, number));
      else if (kind == "flip_flop") {
        state_.emplace_back();
        registers_.push_back(name + "[" + std::to_string(number) + "]");
        resets_.emplace_back();
        add_name(names, name, number);
      } else if (kind == "alias") add_name(names, name, number);
      else if ((kind == "held_0" || kind == "held_1") && (resets_.back() || !names.has(name))) continue;
      else if (kind == "held_0" || kind == "held_1") resets_.back() = {names.bit(name, number), kind == "held_1"};
      else if (kind == "net") nets_.push_back(names.bit(name, number));
      else if (kind == "armed") armed_.push_back(names.bit(name, number));
      else if (kind == "stuck_net") stuck_nets_.push_back(names.bit(name, number));
      else if (kind == "stuck_net_to") stuck_nets_to_.push_back(names.bit(name, number));
      else if (kind == "stuck") stuck_.push_back(names.bit(name, number));
      else if (kind == "stuck_to") stuck_to_.push_back(names.bit(name, number));
      else if (kind == "resets_to") resets_to_.push_back(names.bit(name, number));
      else if (kind == "still") still_.push_back(names.bit(name, number));
      else if (kind == "memory" && plan >> bits)
        for (uint32_t word = 0; word < number; word++)
          for (uint32_t bit = 0; bit < bits; bit++) state_.push_back({names.bit_of_word(name, word, bit)});
      else
        fail(path + ": " + kind + " is not known");
    }
    if (!clock_storage_.empty()) clock_ = &clock_storage_[0];
  }

  void require_faults(const Job& job) const {
    if (job.kind != kFlip && armed_.empty()) fail("only a netlist has this sort of fault");
  }

  void arm(const Job& job, uint32_t place) {
    if (job.kind == kTransient) {
      armed_.at(place).put(true);
    } else if (job.kind == kNetStuck0 || job.kind == kNetStuck1) {
      stuck_nets_.at(place).put(true);
      stuck_nets_to_.at(place).put(job.kind == kNetStuck1);
    } else {
      stuck_.at(place).put(true);
      stuck_to_.at(place).put(job.kind == kReset ? resets_to_.at(place).get() : job.kind == kStuck1);
    }
  }

  // A tick more, of the domain alone.
  void tick_alone(const Job& job) {
    require_faults(job);
    for (const Bit& member : still_) member.put(true);
    for (const uint32_t member : job.places) still_.at(member).put(false);
    clock();
    for (const Bit& member : still_) member.put(false);
  }

  bool is_held(uint32_t place) const {
    return place < resets_.size() && resets_[place] && resets_[place]->bit.get() == resets_[place]->level;
  }

  void add_name(const Names& names, const std::string& name, uint32_t number) {
    if (names.has(name)) state_.back().push_back(names.bit(name, number));
  }

  // A name may be that of a wire that follows the register; then the register is among the others.
  void require_flip_flops() {
    for (size_t i = 0; i < registers_.size(); i++) {
      const Bits& names = state_[i];
      if (names.empty()) fail("the model has no register " + registers_[i]);
      const bool before = names[0].get();
      for (const bool value : {!before, before}) {
        for (const Bit& name : names) name.put(value);
        top_.eval();
        for (const Bit& name : names)
          if (name.get() != value) fail("register " + registers_[i] + " cannot be set in the model");
      }
    }
  }

  // An asynchronous reset takes an edge: inputs begin as the opposite of what they are in clock 0.
  void start(const Row& initial) {
    if (stimulus_.size() != inputs_.size() * cycles_ || initial.size() != state_.size())
      fail("inputs or initial state of another design");
    for (size_t i = 0; i < inputs_.size(); i++) inputs_[i].put(!stimulus_[i]);
    top_.eval();
    require_flip_flops();
    for (size_t i = 0; i < state_.size(); i++)
      for (const Bit& name : state_[i]) name.put(initial[i]);
    top_.eval();
  }
};

}  // namespace replay
