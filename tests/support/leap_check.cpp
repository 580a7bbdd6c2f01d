// SPDX-License-Identifier: Apache-2.0
// Two boards side by side, one that leaps and one that evaluates every clock: the same session, the same to the octet.
//
// Standard input: "seed S", "clock HZ", "rail LIMITS..." as the twin takes them, "at CYCLE KIND HEX" in order, "end CYCLE".
// After steps of random length both are compared: every octet of the models, the octets that came out and when the
// last one passed. Prints what was compared; ends with 4 where they part.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <random>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "board.h"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

// What lies between the members of a model is 0, so that it can be compared.
void* operator new(size_t octets) { return std::calloc(1, octets); }
void* operator new(size_t octets, std::align_val_t to) {
  const size_t whole = (octets + static_cast<size_t>(to) - 1) / static_cast<size_t>(to) * static_cast<size_t>(to);
  return std::memset(std::aligned_alloc(static_cast<size_t>(to), whole), 0, whole);
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, size_t) noexcept { std::free(at); }
void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete(void* at, size_t, std::align_val_t) noexcept { std::free(at); }

namespace {

using namespace twin;

constexpr size_t First = offsetof(Vtwin___024root, clk_i);
constexpr size_t End = offsetof(Vtwin___024root, vlSymsp);

struct Side {
  Side(const BoardSettings& settings, const int* sockets) : channel(sockets[0]), ours(sockets[1]), board(settings, channel) {}

  std::string sent() {
    board.send_received();
    channel.flush();
    char octets[65536];
    const ssize_t count = recv(ours, octets, sizeof octets, MSG_DONTWAIT);
    return {octets, count > 0 ? static_cast<size_t>(count) : 0};
  }

  Channel channel;
  int ours;
  Board board;
};

struct Step {
  uint64_t cycle;
  Message message;
};

std::vector<uint8_t> from_hex(const std::string& text) {
  std::vector<uint8_t> octets;
  for (size_t at = 0; at + 1 < text.size(); at += 2) octets.push_back(std::stoi(text.substr(at, 2), nullptr, 16));
  return octets;
}

bool is_equal(Side& leaping, Side& plain, std::string& all) {
  const std::string sent = leaping.sent();
  all += sent;
  if (sent != plain.sent() || leaping.board.last_octet() != plain.board.last_octet()) return false;
  const auto* a = reinterpret_cast<const uint8_t*>(leaping.board.model());
  const auto* b = reinterpret_cast<const uint8_t*>(plain.board.model());
  return a && b ? std::memcmp(a + First, b + First, End - First) == 0 : a == b;
}

// Short steps where octets pass, so that each has its own; else also long ones, for long leaps.
uint64_t step(std::mt19937_64& chance, const Board& board) {
  const bool is_busy = board.now() - board.last_octet() < 2000;
  return 1 + chance() % (is_busy ? 150 : chance() % 4 ? 1500 : 6000);
}

}  // namespace

int main() {
  BoardSettings settings;
  std::vector<Step> script;
  uint64_t end = 0;
  for (std::string line, word; std::getline(std::cin, line);) {
    std::istringstream words(line);
    words >> word;
    if (word == "seed") words >> settings.seed;
    else if (word == "clock") words >> settings.clock_hz;
    else if (word == "end") words >> end;
    else if (word == "rail") {
      RailLimits& r = settings.rails.emplace_back();
      words >> r.ramp >> r.early_ramp >> r.late_ramp >> r.discharge_tau >> r.on_level >> r.off_level >> r.pg_delay >>
          r.short_glitch >> r.long_glitch >> r.short_surge;
    } else if (word == "at") {
      uint64_t cycle;
      char kind;
      std::string hex;
      words >> cycle >> kind >> hex;
      script.push_back({cycle, {static_cast<Kind>(kind), from_hex(hex)}});
    }
  }
  settings.flash.clock_hz = settings.clock_hz;
  int sockets[2][2];
  for (auto& pair : sockets) socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  Side leaping(settings, sockets[0]);
  settings.is_leaping = false;
  Side plain(settings, sockets[1]);
  std::mt19937_64 chance(settings.seed);
  std::string octets;
  uint64_t points = 0;
  size_t next = 0;
  while (plain.board.now() < end) {
    const uint64_t now = plain.board.now();
    for (; next < script.size() && script[next].cycle <= now; ++next) {
      leaping.board.handle(script[next].message);
      plain.board.handle(script[next].message);
    }
    uint64_t cycles = step(chance, plain.board);
    if (next < script.size()) cycles = std::min(cycles, script[next].cycle - now);
    leaping.board.run(cycles);
    plain.board.run(cycles);
    ++points;
    if (!is_equal(leaping, plain, octets)) {
      std::fprintf(stderr, "they part before cycle %llu\n", static_cast<unsigned long long>(plain.board.now()));
      std::_Exit(4);
    }
  }
  std::printf("%llu %llu %llu ", static_cast<unsigned long long>(plain.board.now()),
              static_cast<unsigned long long>(leaping.board.leapt()), static_cast<unsigned long long>(points));
  for (const char octet : octets) std::printf("%02x", static_cast<uint8_t>(octet));
  std::fflush(stdout);
  std::_Exit(0);  // Without taking down two models that share Verilator's locks.
}
