// SPDX-License-Identifier: Apache-2.0
// The twin of a payload as a program: it runs a board and talks through the socket it was given.
//
// It ends when it is told to, when the other end of the socket is gone, or when its parent is.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "board.h"

namespace twin {
namespace {

constexpr uint64_t BatchCycles = 2048;  // Between two looks at the socket.
constexpr double LineS = 1e-3;          // Of the payload's time, between two moves of a port's lines: a frame of USB.
constexpr double SilenceS = 5.0;        // Of wall clock and of the payload's time, before it is slowed down.
constexpr int RestMs = 50;              // Between two batches of one that is slowed down.
constexpr uint64_t RestBatch = 65536;

struct Settings {
  BoardSettings board;
  int socket = -1;
};

std::vector<double> numbers(const std::string& text) {
  std::vector<double> found;
  size_t at = 0;
  while (at <= text.size()) {
    const size_t end = std::min(text.find(',', at), text.size());
    found.push_back(std::stod(text.substr(at, end - at)));
    at = end + 1;
  }
  return found;
}

RailLimits rail(const std::string& text) {
  const std::vector<double> n = numbers(text);
  RailLimits limits;
  limits.ramp = n.at(0);
  limits.early_ramp = n.at(1);
  limits.late_ramp = n.at(2);
  limits.discharge_tau = n.at(3);
  limits.on_level = n.at(4);
  limits.off_level = n.at(5);
  limits.pg_delay = static_cast<uint64_t>(n.at(6));
  limits.short_glitch = static_cast<uint64_t>(n.at(7));
  limits.long_glitch = static_cast<uint64_t>(n.at(8));
  limits.short_surge = static_cast<uint64_t>(n.at(9));
  return limits;
}

void set(Settings& settings, const std::string& name, const std::string& value) {
  BoardSettings& board = settings.board;
  if (name == "--socket") settings.socket = std::stoi(value);
  else if (name == "--clock-hz") board.clock_hz = board.flash.clock_hz = std::stod(value);
  else if (name == "--baud-divisor") board.baud_divisor = std::stod(value);
  else if (name == "--seed") board.seed = board.flash.seed = std::stoull(value);
  else if (name == "--flash") board.flash.path = value;
  else if (name == "--flash-time") board.flash.time_scale = std::stod(value);
  else if (name == "--rail") board.rails.push_back(rail(value));
  else if (name == "--trace-file") board.trace_file = value;
  else if (name == "--trace-event") board.trace_event = value;
  else if (name == "--trace-cycles") board.trace_cycles = std::stoull(value);
  else throw std::runtime_error(name + ": unknown option");
}

Settings parse(int count, char** arguments) {
  Settings settings;
  for (int n = 1; n + 1 < count; n += 2) set(settings, arguments[n], arguments[n + 1]);
  if (settings.socket < 0) throw std::runtime_error("--socket is missing");
  return settings;
}

uint64_t wall_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// When nothing has passed for some seconds of both clocks, or nobody listens, the board still goes
// on, slowly: an octet from the client ends the rest at once.
class Idleness {
 public:
  bool is_resting(const Board& board) {
    const uint64_t wall = wall_ns();
    if (board.is_sending() || board.last_octet() != last_octet_) {
      last_octet_ = board.last_octet();
      last_wall_ = wall;
    }
    if (board.is_sending()) return false;
    const double wall_s = static_cast<double>(wall - last_wall_) * 1e-9;
    const double board_s = static_cast<double>(board.now() - last_octet_) / board.clock_hz();
    return board.has_client() ? wall_s > SilenceS && board_s > SilenceS : wall - started_ > 1'000'000'000u;
  }

 private:
  uint64_t started_ = wall_ns();
  uint64_t last_octet_ = 0;
  uint64_t last_wall_ = started_;
};

void run_timed(Board& board, uint64_t cycles) {
  const uint64_t before = wall_ns();
  board.run(cycles);
  board.run_ns += wall_ns() - before;
}

bool moves_line(Kind kind) { return kind == Kind::Reset || kind == Kind::BootSelect || kind == Kind::Power; }

// Whoever sends is not held up by a busy machine, and this is: a pulse whose ends come together is still one.
void handle_all(Board& board, Channel& channel) {
  Message message;
  while (channel.take(message)) {
    board.handle(message);
    if (moves_line(message.kind)) run_timed(board, static_cast<uint64_t>(LineS * board.clock_hz()));
  }
}

void run(Board& board, Channel& channel) {
  const pid_t parent = getppid();
  Idleness idleness;
  uint64_t looks = 0;
  bool is_resting = false;
  board.run(BatchCycles);  // Out of the first reset: nothing that is sent falls into it.
  while (channel.poll(is_resting ? RestMs : 0) && !board.is_quitting()) {
    handle_all(board, channel);
    run_timed(board, is_resting ? RestBatch : BatchCycles);
    board.send_received();
    is_resting = idleness.is_resting(board);
    if ((is_resting || ++looks % 4096 == 0) && getppid() != parent) return;
  }
}

}  // namespace
}  // namespace twin

int main(int count, char** arguments) {
  // Ctrl-C goes to the whole group: the parent decides when this ends.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (count == 2 && std::strcmp(arguments[1], "--storage") == 0) {
      std::fputs(twin::Design().storage().c_str(), stdout);
      return 0;
    }
    const twin::Settings settings = twin::parse(count, arguments);
    twin::Channel channel(settings.socket);
    twin::Board board(settings.board, channel);
    twin::run(board, channel);
    board.shut_down();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  return 0;
}
