// SPDX-License-Identifier: Apache-2.0
// A board: the payload, what hangs on its pins, and the loop that takes all of it from clock to clock.
//
// Between two events (an edge of the host's UART, the moment at which it samples, a comparator of a
// rail, something scheduled) the loop only clocks the payload and looks whether an output moved.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "parts/channel.h"
#include "design.h"
#include "parts/flash.h"
#include "parts/line.h"
#include "parts/rails.h"
#include "parts/uart.h"

namespace twin {

constexpr uint64_t SupervisorCycles = 16;  // The reset lasts so long once power has come.

struct BoardSettings {
  double clock_hz = 12e6;
  double baud_divisor = 16;  // Clocks per bit at the payload's end.
  uint64_t seed = 1;
  Flash::Settings flash;
  std::vector<RailLimits> rails;
  std::string trace_file;
  std::string trace_event;  // "octet", "reset", "break", "rail:N", "power"; "" for none.
  uint64_t trace_cycles = 0;
  bool is_leaping = true;  // Over clocks in which only counters move: faster, and the same.
};

class Board {
 public:
  Board(const BoardSettings& settings, Channel& channel);

  // Run for `cycles`; the pins of the payload and all around it are then where they are.
  void run(uint64_t cycles);
  void handle(const Message& message);
  void send_received();  // What has come in since the last time.
  void shut_down();      // Power is lost.

  bool is_quitting() const { return is_quitting_; }
  bool has_client() const { return has_client_; }
  uint64_t now() const { return now_; }
  uint64_t last_octet() const { return last_octet_; }  // The cycle at which one last passed.
  bool is_sending() const { return !transmitter_.is_idle(); }
  double clock_hz() const { return settings_.clock_hz; }
  uint64_t leapt() const { return design_.leapt(); }
  const Vtwin___024root* model() const { return design_.model(); }

  uint64_t run_ns = 0;  // Wall clock spent in `run`, as the caller measured it.

 private:
  void run_powered(uint64_t stop);
  bool outputs_moved();
  void answer_outputs();
  void handle_events();
  void drive_inputs();
  void drive_reset();
  void drive_wire();
  void receive(uint8_t octet);
  void plan();
  void schedule(Reader& reader);
  void set_power(bool is_on);
  void brown_out(bool is_low);
  void set_rate(uint32_t baud);
  void set_rail_fault(Reader& reader);
  void set_line_faults(Reader& reader);
  void upset(Reader& reader);
  void answer(bool is_done, const std::string& text);
  void event(const std::string& text);
  void trace_on(const std::string& what);
  std::string statistics();

  BoardSettings settings_;
  Channel& channel_;
  Design design_;
  Flash flash_;
  Rails rails_;
  Line to_payload_;
  Line from_payload_;
  HostTransmitter transmitter_;
  HostReceiver receiver_;
  std::multimap<uint64_t, Message> schedule_;

  uint64_t now_ = 0;
  uint64_t next_ = 0;  // Event.
  uint64_t last_octet_ = 0;
  uint64_t reset_until_ = 0;
  uint64_t trace_until_ = Never;
  bool is_reset_held_ = false;
  bool is_brown_out_ = false;
  bool boot_select_ = false;
  bool has_client_ = false;
  bool is_quitting_ = false;
  bool is_hunting_ = true;
  uint64_t taken_told_ = 0;
  std::vector<uint8_t> received_;
  uint64_t octets_lost_ = 0;  // Nobody listened, or did not read.
  uint64_t resets_ = 0;
  uint64_t upsets_ = 0;

  // The outputs as they were last seen.
  uint8_t tx_ = 1;
  uint8_t sck_ = 0;
  uint8_t cs_n_ = 1;
  uint64_t enables_ = 0;
};

}  // namespace twin
