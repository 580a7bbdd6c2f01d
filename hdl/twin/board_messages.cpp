// SPDX-License-Identifier: Apache-2.0
// What the process that serves the board asks for, and what it is told.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "board.h"

namespace twin {
namespace {

constexpr size_t ReceivedLimit = 1u << 20;  // Octets that wait for a client that does not read.

}  // namespace

void Board::handle(const Message& message) {
  Reader reader(message.octets);
  switch (message.kind) {
    case Kind::Octets:
      for (const uint8_t octet : message.octets) transmitter_.octet(octet);
      drive_wire();
      break;
    case Kind::Rate: set_rate(reader.number<uint32_t>()); break;
    case Kind::Break:
      if (reader.number<uint8_t>()) transmitter_.break_begin();
      else transmitter_.break_end();
      drive_wire();
      break;
    case Kind::DropQueue: transmitter_.drop_queue(); break;
    case Kind::Reset:
      is_reset_held_ = reader.number<uint8_t>();
      drive_reset();
      break;
    case Kind::BootSelect:
      boot_select_ = reader.number<uint8_t>();
      drive_inputs();
      break;
    case Kind::Client:
      has_client_ = reader.number<uint8_t>();
      last_octet_ = now_;
      if (!has_client_) received_.clear();
      break;
    case Kind::Power: set_power(reader.number<uint8_t>()); break;
    case Kind::BrownOut: brown_out(reader.number<uint8_t>()); break;
    case Kind::RailFault: set_rail_fault(reader); break;
    case Kind::LineFaults: set_line_faults(reader); break;
    case Kind::Cut: {
      Line& line = reader.number<uint8_t>() ? from_payload_ : to_payload_;
      line.cut(reader.number<uint8_t>());
      drive_inputs();
      break;
    }
    case Kind::Upset: upset(reader); break;
    case Kind::Stuck: {
      const uint32_t address = reader.number<uint32_t>();
      const uint8_t bit = reader.number<uint8_t>();
      flash_.stick(address, bit, reader.number<uint8_t>());
      break;
    }
    case Kind::At: schedule(reader); break;
    case Kind::Ask: answer(true, statistics()); break;
    case Kind::Quit: is_quitting_ = true; break;
    default: break;
  }
  plan();
}

// After a delay in cycles: another message.
void Board::schedule(Reader& reader) {
  const uint64_t delay = reader.number<uint64_t>();
  const Kind kind = static_cast<Kind>(reader.number<uint8_t>());
  schedule_.insert({now_ + delay, Message{kind, reader.rest()}});
}

void Board::set_rate(uint32_t baud) {
  transmitter_.rate(baud == 0 ? settings_.baud_divisor : settings_.clock_hz / baud);
  drive_wire();
}

// What waits in the host's queue at another rate goes out before; what comes in is read at the new
// rate at once when nothing waits.
void Board::drive_wire() {
  const uint64_t before = transmitter_.octets_taken();
  transmitter_.advance(now_);
  receiver_.rate(transmitter_.cycles_per_bit());
  if (transmitter_.octets_taken() != before) {
    last_octet_ = now_;
    trace_on("octet");
  }
  if (transmitter_.is_breaking()) trace_on("break");
  drive_inputs();
}

void Board::drive_inputs() {
  if (!design_.is_powered()) return;
  Vtwin& pins = design_.pins();
  pins.uart_rx_i = transmitter_.level();
  pins.boot_select_i = boot_select_;
  pins.rail_power_good_i = rails_.power_good();
  pins.rail_over_current_i = rails_.over_current();
}

void Board::drive_reset() {
  if (!design_.is_powered()) return;
  const bool is_running = !is_reset_held_ && !is_brown_out_ && reset_until_ == Never;
  if (!is_running && design_.pins().rst_ni) {
    ++resets_;
    trace_on(now_ == 0 ? "power" : "reset");
  }
  design_.pins().rst_ni = is_running;
}

void Board::set_power(bool is_on) {
  if (is_on == design_.is_powered()) return;
  if (is_on) {
    design_.power_on();
    reset_until_ = now_ + SupervisorCycles;
    drive_reset();
    drive_inputs();
    trace_on("power");
  } else {
    design_.power_off();
    flash_.power_loss(now_);
    sck_ = 0;
    tx_ = cs_n_ = 1;
    enables_ = 0;
    rails_.set_enables(now_, 0);
  }
}

// The supply dips below what the supervisor and the flash accept, and not so far that the FPGA
// would lose its configuration: registers are reset, memories keep what they hold.
void Board::brown_out(bool is_low) {
  if (is_low && !is_brown_out_) flash_.power_loss(now_);
  is_brown_out_ = is_low;
  drive_reset();
}

void Board::set_rail_fault(Reader& reader) {
  const uint8_t rail = reader.number<uint8_t>();
  const uint8_t fault = reader.number<uint8_t>();
  if (rail >= rails_.count() || fault > static_cast<uint8_t>(RailFault::StuckOn)) return;
  rails_.set_fault(now_, rail, static_cast<RailFault>(fault));
  drive_inputs();
}

void Board::set_line_faults(Reader& reader) {
  Line& line = reader.number<uint8_t>() ? from_payload_ : to_payload_;
  const uint64_t seed = reader.number<uint64_t>();
  LineFaults faults;
  for (double* each : {&faults.flip, &faults.drop, &faults.duplicate, &faults.insert, &faults.stall,
                       &faults.stall_s}) {
    *each = reader.number<double>();
  }
  line.set_faults(faults, seed);
}

void Board::upset(Reader& reader) {
  const uint8_t is_asked = reader.number<uint8_t>();  // An answer is wanted.
  const uint32_t word = reader.number<uint32_t>();
  const uint32_t bit = reader.number<uint32_t>();
  const std::string path = reader.text();
  const std::string wrong = design_.upset(path, word, bit);
  if (wrong.empty()) ++upsets_;
  if (is_asked) answer(wrong.empty(), wrong);
  else if (!wrong.empty()) event("upset of " + path + ": " + wrong);
}

void Board::receive(uint8_t octet) {
  last_octet_ = now_;
  const Line::Passed passed = from_payload_.pass(octet);
  for (unsigned n = 0; n < passed.count; ++n) {
    if (has_client_ && received_.size() < ReceivedLimit) received_.push_back(passed.octets[n]);
    else ++octets_lost_;
  }
}

void Board::send_received() {
  if (!received_.empty() && channel_.waiting() < ReceivedLimit) {
    channel_.send(Kind::Received, received_.data(), received_.size());
    received_.clear();
  }
  if (taken_told_ != transmitter_.octets_taken()) {
    taken_told_ = transmitter_.octets_taken();
    channel_.send(Kind::Taken, &taken_told_, sizeof taken_told_);
  }
}

void Board::trace_on(const std::string& what) {
  if (settings_.trace_event != what || trace_until_ != Never) return;
  settings_.trace_event.clear();  // Once.
  design_.trace_begin(settings_.trace_file);
  trace_until_ = now_ + settings_.trace_cycles;
}

void Board::answer(bool is_done, const std::string& text) {
  channel_.send(Kind::Answer, (is_done ? '1' : '0') + text);
}

void Board::event(const std::string& text) { channel_.send(Kind::Event, text); }

void Board::shut_down() {
  flash_.power_loss(now_);
  design_.power_off();
}

namespace {

uint64_t processor_ns() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(used.tv_nsec);
}

std::string line_statistics(const char* name, const Line::Counts& counts) {
  char text[400];
  std::snprintf(text, sizeof text,
                "\"%s\": {\"octets\": %llu, \"flips\": %llu, \"drops\": %llu, \"duplicates\": %llu, "
                "\"inserts\": %llu, \"stalls\": %llu, \"cut\": %llu}",
                name, static_cast<unsigned long long>(counts.octets),
                static_cast<unsigned long long>(counts.flips),
                static_cast<unsigned long long>(counts.drops),
                static_cast<unsigned long long>(counts.duplicates),
                static_cast<unsigned long long>(counts.inserts),
                static_cast<unsigned long long>(counts.stalls),
                static_cast<unsigned long long>(counts.cut));
  return text;
}

}  // namespace

std::string Board::statistics() {
  const Flash::Counts& flash = flash_.counts();
  std::string text = "{";
  const auto number = [&](const char* name, uint64_t value) {
    text += "\"" + std::string(name) + "\": " + std::to_string(value) + ", ";
  };
  number("cycles", now_);
  number("cycles_leapt", design_.leapt());
  number("run_ns", run_ns);
  number("cpu_ns", processor_ns());
  number("resets", resets_);
  number("upsets", upsets_);
  number("framing_errors", receiver_.framing_errors());
  number("octets_lost", octets_lost_);
  number("octets_waiting", transmitter_.octets_waiting());
  number("rails_enabled", enables_);
  number("power_good", rails_.power_good());
  number("over_current", rails_.over_current());
  number("flash_programs", flash.programs);
  number("flash_erases", flash.erases);
  number("flash_refused", flash.refused);
  number("flash_unknown", flash.unknown);
  number("flash_interrupted", flash.interrupted);
  return text + line_statistics("to_payload", to_payload_.counts()) + ", " +
         line_statistics("from_payload", from_payload_.counts()) + "}";
}

}  // namespace twin
