// SPDX-License-Identifier: Apache-2.0
// A SPI NOR flash: Winbond W25Q32JV (4 MiB), single-wire commands, SPI modes 0 and 3.
//
// From the data sheet (revision I): programming only clears bits and wraps within a page of 256
// octets; erasing sets all bits of a sector or block; a command that changes the array needs WEL and
// a rising /CS on an octet boundary; while BUSY only the status registers answer. Busy times are the
// typical ones. Left out: dual and quad transfers, block protection, suspend, security registers.
//
// Power loss: a program that was cut short has cleared some of its bits. An erase first programs
// everything to 0 and then sets it to 1, so that one cut short leaves either kind of mixture.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

namespace twin {

class Flash {
 public:
  static constexpr uint32_t Octets = 4u << 20;
  static constexpr uint32_t PageOctets = 256;

  struct Settings {
    std::string path;         // The array is kept here; "" for memory alone.
    double clock_hz = 1e6;    // Of the cycles that `now` counts.
    double time_scale = 1.0;  // Of busy times; 0 makes every operation end at once.
    uint64_t seed = 1;        // Of what an interrupted operation leaves.
  };

  struct Counts {
    uint64_t programs = 0;
    uint64_t erases = 0;
    uint64_t refused = 0;      // For want of WEL, of whole octets, or of an idle array.
    uint64_t unknown = 0;      // Commands that the part does not have, or this model leaves out.
    uint64_t interrupted = 0;  // Operations cut short.
  };

  explicit Flash(const Settings& settings);
  ~Flash();
  Flash(const Flash&) = delete;
  Flash& operator=(const Flash&) = delete;

  // The pins at cycle `now`; returns MISO. To be called whenever one of them has changed.
  bool pins(uint64_t now, bool sck, bool cs_n, bool mosi);

  // A cell breaks: from now on its bit is this, whatever is erased or programmed.
  void stick(uint32_t address, unsigned bit, bool value);

  // The supply fails: what runs is cut short, the registers start anew.
  void power_loss(uint64_t now);

  bool is_busy(uint64_t now);
  const Counts& counts() const { return counts_; }
  const uint8_t* array() const { return array_; }

 private:
  struct StuckBit {
    uint32_t address;
    uint8_t mask;
    bool value;
  };

  enum class Operation { None, Program, Erase };

  struct Page {
    std::array<uint8_t, PageOctets> data{};
    std::bitset<PageOctets> given;  // Octets that were sent; the others stay.
  };

  void open_array();
  void select();
  void deselect(uint64_t now);
  void octet(uint64_t now, uint8_t value);
  void command(uint64_t now, uint8_t value);
  uint8_t answer(uint64_t now);
  uint8_t status1(uint64_t now);
  void execute(uint64_t now);
  void start(uint64_t now, Operation operation, uint32_t first, uint32_t octets, double seconds);
  void settle(uint64_t now);
  void finish(double share);
  void finish_program(double share);
  void finish_erase(double share);
  void hold_stuck();

  Settings settings_;
  uint8_t* array_ = nullptr;
  int file_ = -1;
  Counts counts_;
  std::vector<StuckBit> stuck_;

  // The SPI shifter.
  bool sck_ = false;
  bool cs_n_ = true;
  bool miso_ = true;
  unsigned bits_in_ = 0;  // Of the octet that is coming in.
  uint8_t shift_in_ = 0;
  uint8_t shift_out_ = 0xff;

  // The command in progress.
  uint64_t octets_in_ = 0;  // Whole ones since /CS fell.
  uint8_t command_ = 0;
  bool is_ignored_ = false;
  uint32_t address_ = 0;
  Page page_;  // Data of a page program, as it comes in.

  // What runs inside.
  bool write_enabled_ = false;
  bool reset_enabled_ = false;
  bool is_powered_down_ = false;
  Operation operation_ = Operation::None;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  Page program_;
  uint64_t started_ = 0;
  uint64_t ends_ = 0;
};

}  // namespace twin
