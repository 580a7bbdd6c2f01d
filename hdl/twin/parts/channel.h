// SPDX-License-Identifier: Apache-2.0
// Messages between the twin and the process that serves it: a kind, a length, the octets.
//
// The same kinds stand in fw_tools/board/twin_messages.py. Numbers are little endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twin {

enum class Kind : uint8_t {
  // To the twin.
  Octets = 'o',      // For the line.
  Rate = 'b',        // u32 baud of the host; 0 is the payload's own.
  Break = 'k',       // u8: begins, ends.
  DropQueue = 'x',   // Octets that wait to be sent are thrown away.
  Reset = 'r',       // u8: held in reset, released.
  BootSelect = 's',  // u8
  Client = 'c',      // u8: somebody listens, nobody does.
  Power = 'p',       // u8: on, off.
  BrownOut = 'w',    // u8: begins, ends.
  RailFault = 'f',   // u8 rail, u8 fault
  LineFaults = 'l',  // u8 direction (0 to the payload), u64 seed, f64 of each in `LineFaults`
  Cut = 'u',         // u8 direction, u8: cut, whole.
  Upset = 'e',       // u8: answer; u32 word, u32 bit, path
  Stuck = 'j',       // u32 address in the flash, u8 bit, u8 value
  At = 'a',          // u64 cycles from now, then the kind and octets of another message.
  Ask = 'q',         // For an answer with statistics.
  Quit = 'z',
  // From the twin.
  Received = 'O',    // Octets from the line.
  Taken = 'T',       // u64: octets taken from the host's queue since the start.
  Answer = 'A',      // u8: done or refused; text.
  Event = 'E',       // Text of something that happened by schedule or by itself.
};

struct Message {
  Kind kind;
  std::vector<uint8_t> octets;
};

// Reads a message's octets front to back; a short message reads as zeros.
class Reader {
 public:
  explicit Reader(const std::vector<uint8_t>& octets) : octets_(octets) {}

  template <class Number>
  Number number() {
    Number value{};
    auto* into = reinterpret_cast<uint8_t*>(&value);
    for (size_t n = 0; n < sizeof value && at_ < octets_.size(); ++n) into[n] = octets_[at_++];
    return value;
  }
  std::vector<uint8_t> rest() const { return {octets_.begin() + static_cast<long>(at_), octets_.end()}; }
  std::string text() const { return {octets_.begin() + static_cast<long>(at_), octets_.end()}; }

 private:
  const std::vector<uint8_t>& octets_;
  size_t at_ = 0;
};

class Channel {
 public:
  explicit Channel(int file) : file_(file) {}

  // Read what is there; wait for up to `wait_ms` when that is nothing. False once the other end is gone.
  bool poll(int wait_ms);
  bool take(Message& message);

  void send(Kind kind, const void* octets, size_t count);
  void send(Kind kind, std::string_view text) { send(kind, text.data(), text.size()); }
  void flush();  // As far as the other end takes it.
  size_t waiting() const { return out_.size() - sent_; }

 private:
  int file_;
  std::vector<uint8_t> in_;
  size_t used_ = 0;  // Of in_.
  std::vector<uint8_t> out_;
  size_t sent_ = 0;  // Of out_.
  bool is_open_ = true;
};

}  // namespace twin
