// SPDX-License-Identifier: Apache-2.0
// Replays injections on a Verilated model: what its outputs are in every clock, and its state at the end.
//
//   sim FOLDER            every job of FOLDER/jobs.bin; each in a process that parts from golden's
//   sim FOLDER FILE       golden, up to the end of the first job, with its waves in FILE
//   sim FOLDER FILE flip  the same with that job's injection
//
// FOLDER/plan.txt names the bits of the model, inputs.bin and initial.bin hold an octet for each bit.
// Golden's outputs go to golden.bin, those of the jobs to traces.bin, their states to golden_states.bin
// and states.bin; a row is packed, least significant bit first.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "Vreplay.h"
#include "verilated_syms.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

struct Bit {  // Of a little-endian machine.
  uint8_t* octet;
  uint8_t mask;
  bool get() const { return *octet & mask; }
  void put(bool value) const { *octet = static_cast<uint8_t>(value ? *octet | mask : *octet & ~mask); }
  void flip() const { *octet ^= mask; }
};
using Bits = std::vector<Bit>;  // One bit of the design under all its names.
using Row = std::vector<uint8_t>;

struct Reset {
  Bit bit;
  bool level;  // That holds the register.
};

enum Kind : uint32_t { kFlip, kTransient, kStuck0, kStuck1, kNetStuck0, kNetStuck1, kReset, kClockLost, kClockExtra };

struct Job {
  uint32_t cycle;
  uint32_t kind;
  std::vector<uint32_t> places;  // Of a reset or a clock: every member of its domain.
};

[[noreturn]] void fail(const std::string& what) {
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

// ---- the names of the model

std::string plain(std::string name) {
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

// ---- the model with its inputs, outputs and state

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

// ---- jobs

struct Jobs {
  uint32_t horizon;
  std::vector<Job> list;  // By their clocks, which do not fall.
};

Jobs read_jobs(const std::string& path) {
  const std::vector<uint32_t> words = read_items<uint32_t>(path);
  Jobs jobs{words.at(0), {}};
  for (size_t at = 1; at < words.size();) {
    const uint32_t* job = &words[at];
    jobs.list.push_back({job[0], job[1], {job + 3, job + 3 + job[2]}});
    at += 3 + job[2];
  }
  return jobs;
}

class Output {
 public:
  explicit Output(const std::string& path) : file_(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0666)) {
    if (file_ < 0) fail(path + ": cannot be written");
  }

  void write_at(uint64_t offset, const Row& row) const {
    if (pwrite(file_, row.data(), row.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(row.size()))
      fail("the disk is full");
  }

 private:
  int file_;
};

struct Outputs {
  Output golden, golden_states, traces, states;
  explicit Outputs(const std::string& folder)
      : golden(folder + "/golden.bin"), golden_states(folder + "/golden_states.bin"),
        traces(folder + "/traces.bin"), states(folder + "/states.bin") {}
};

bool begins_at_edge(const Job& job) { return job.kind >= kTransient && job.kind <= kReset && job.cycle > 0; }

void run_job(Design& design, const Jobs& jobs, size_t number, const Outputs& outputs) {
  const Job& job = jobs.list[number];
  Row trace;
  begins_at_edge(job) ? design.begin_at_edge(job) : design.begin(job);
  for (uint32_t passed = 0; passed < jobs.horizon; passed++) {
    if (passed) design.drive(job.cycle + passed);
    const Row row = design.outputs();
    trace.insert(trace.end(), row.begin(), row.end());
    passed ? design.clock() : design.clock_of(job);
  }
  const Row state = design.state();
  outputs.traces.write_at(number * trace.size(), trace);
  outputs.states.write_at(number * state.size(), state);
}

class Children {
 public:
  void finish() {
    while (running_) wait_for_one();
  }

  template <typename Work>
  void part(const Work& work) {
    static const long most = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
    while (running_ >= most) wait_for_one();
    const pid_t child = fork();
    if (child < 0) fail("no further process can be started");
    if (child == 0) {
      work();
      _exit(0);
    }
    running_++;
  }

 private:
  long running_ = 0;

  void wait_for_one() {
    int status = 0;
    if (wait(&status) < 0 || status != 0) fail("a replay ended early");
    running_--;
  }
};

void run_all(Design& design, const Jobs& jobs, const std::string& folder) {
  const Outputs outputs(folder);
  Children children;
  size_t next = 0, next_at_edge = 0, ended = 0;
  const auto part_at = [&](size_t& job, uint32_t cycle, bool is_at_edge) {
    for (; job < jobs.list.size() && jobs.list[job].cycle == cycle; job++)
      if (begins_at_edge(jobs.list[job]) == is_at_edge)
        children.part([&] { run_job(design, jobs, job, outputs); });
  };
  for (uint32_t cycle = 0; cycle <= design.cycles(); cycle++) {
    for (; ended < jobs.list.size() && jobs.list[ended].cycle + jobs.horizon == cycle; ended++) {
      const Row state = design.state();
      outputs.golden_states.write_at(ended * state.size(), state);
    }
    if (cycle == design.cycles()) break;
    design.drive(cycle);
    part_at(next, cycle, false);
    const Row row = design.outputs();
    outputs.golden.write_at(cycle * row.size(), row);
    if (cycle == 0) part_at(next_at_edge, 0, true);
    part_at(next_at_edge, cycle + 1, true);
    design.clock();
  }
  children.finish();
}

void run_waves(Design& design, const Jobs& jobs, const std::string& file, bool is_faulty) {
  const Job& job = jobs.list.at(0);
  design.open_waves(file);
  bool is_driven = false;
  for (uint32_t cycle = 0; cycle < job.cycle + jobs.horizon; cycle++) {
    if (!is_driven) design.drive(cycle);
    if (is_faulty && cycle == job.cycle && !begins_at_edge(job)) design.begin(job);
    is_driven = is_faulty && cycle + 1 == job.cycle && begins_at_edge(job);
    if (is_driven) design.begin_at_edge(job);
    else if (is_faulty && cycle == job.cycle) design.clock_of(job);
    else design.clock();
  }
  design.close_waves();
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) fail("sim FOLDER [FILE [flip]]");
  const std::string folder = words[1];
  Design design(folder);
  const Jobs jobs = read_jobs(folder + "/jobs.bin");
  if (count == 2)
    run_all(design, jobs, folder);
  else
    run_waves(design, jobs, words[2], count > 3);
  return 0;
}
