// SPDX-License-Identifier: Apache-2.0
#include "flash.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "random.h"

namespace twin {
namespace {

// Data sheet W25Q32JV, 8.1.2 instruction set table 1.
enum Command : uint8_t {
  WriteEnable = 0x06,
  WriteDisable = 0x04,
  ReadStatus1 = 0x05,
  ReadStatus2 = 0x35,
  ReadStatus3 = 0x15,
  ReadData = 0x03,
  FastRead = 0x0b,
  PageProgram = 0x02,
  SectorErase = 0x20,
  BlockErase32 = 0x52,
  BlockErase64 = 0xd8,
  ChipErase = 0xc7,
  ChipEraseToo = 0x60,
  PowerDown = 0xb9,
  ReleasePowerDown = 0xab,
  ManufacturerAndDevice = 0x90,
  JedecId = 0x9f,
  EnableReset = 0x66,
  Reset = 0x99,
};

constexpr uint8_t Identity[] = {0xef, 0x40, 0x16};  // 8.1.1: Winbond, W25Q32JV-IQ.
constexpr uint8_t DeviceId = 0x15;
constexpr unsigned AddressOctets = 3;

// 9.6 AC electrical characteristics, typical, in seconds.
constexpr double PageProgramS = 0.4e-3;
constexpr double SectorEraseS = 45e-3;
constexpr double BlockErase32S = 120e-3;
constexpr double BlockErase64S = 150e-3;
constexpr double ChipEraseS = 10.0;

constexpr double PreProgramShare = 0.25;  // Of an erase; no data sheet tells, and no test may care.

bool is_read(uint8_t command) { return command == ReadData || command == FastRead; }

bool is_status(uint8_t command) {
  return command == ReadStatus1 || command == ReadStatus2 || command == ReadStatus3;
}

bool is_known(uint8_t command) {
  switch (command) {
    case WriteEnable: case WriteDisable: case ReadStatus1: case ReadStatus2: case ReadStatus3:
    case ReadData: case FastRead: case PageProgram: case SectorErase: case BlockErase32:
    case BlockErase64: case ChipErase: case ChipEraseToo: case PowerDown: case ReleasePowerDown:
    case ManufacturerAndDevice: case JedecId: case EnableReset: case Reset:
      return true;
    default:
      return false;
  }
}

}  // namespace

Flash::Flash(const Settings& settings) : settings_(settings) {
  open_array();
}

Flash::~Flash() {
  if (array_ != nullptr) munmap(array_, Octets);
  if (file_ >= 0) close(file_);
}

// A file shorter than the array is an image at address 0: the rest is erased.
void Flash::open_array() {
  size_t present = 0;
  if (!settings_.path.empty()) {
    file_ = open(settings_.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat status {};
    if (file_ < 0 || fstat(file_, &status) != 0 || ftruncate(file_, std::max<off_t>(Octets, status.st_size)) != 0)
      throw std::runtime_error(settings_.path + ": " + std::strerror(errno));
    if (status.st_size > static_cast<off_t>(Octets))
      throw std::runtime_error(settings_.path + ": longer than the flash, which holds 4194304 octets");
    if (flock(file_, LOCK_EX | LOCK_NB) != 0)
      throw std::runtime_error(settings_.path + ": in use by another twin");
    present = static_cast<size_t>(status.st_size);
  }
  const int flags = file_ < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* mapped = mmap(nullptr, Octets, PROT_READ | PROT_WRITE, flags, file_, 0);
  if (mapped == MAP_FAILED) throw std::runtime_error(settings_.path + ": " + std::strerror(errno));
  array_ = static_cast<uint8_t*>(mapped);
  std::memset(array_ + present, 0xff, Octets - present);
}

bool Flash::pins(uint64_t now, bool sck, bool cs_n, bool mosi) {
  if (cs_n != cs_n_) {
    cs_n_ = cs_n;
    if (cs_n) deselect(now);
    else select();
  } else if (!cs_n && sck != sck_) {
    if (sck) {  // Rising: the part samples.
      shift_in_ = static_cast<uint8_t>(shift_in_ << 1 | mosi);
      if (++bits_in_ == 8) {
        bits_in_ = 0;
        octet(now, shift_in_);
        shift_out_ = answer(now);
      }
    } else {  // Falling: the part shifts.
      miso_ = shift_out_ >> 7;
      shift_out_ = static_cast<uint8_t>(shift_out_ << 1 | 1);
    }
  }
  sck_ = sck;
  return cs_n_ || miso_;  // Not driven while deselected: a pull-up.
}

void Flash::select() {
  bits_in_ = 0;
  octets_in_ = 0;
  shift_out_ = 0xff;
  miso_ = true;
  is_ignored_ = false;
  address_ = 0;
  page_.given.reset();
}

void Flash::octet(uint64_t now, uint8_t value) {
  const uint64_t place = octets_in_++;
  if (place == 0) {
    command(now, value);
  } else if (place <= AddressOctets) {
    address_ = (address_ << 8 | value) % Octets;
  } else if (command_ == PageProgram) {
    const size_t at = (address_ + place - AddressOctets - 1) % PageOctets;
    page_.data[at] = value;
    page_.given[at] = true;
  }
}

void Flash::command(uint64_t now, uint8_t value) {
  command_ = value;
  settle(now);
  const bool is_asleep = is_powered_down_ && value != ReleasePowerDown;
  const bool is_blocked = operation_ != Operation::None && !is_status(value) && value != EnableReset && value != Reset;
  if (!is_known(value)) ++counts_.unknown;
  if (is_asleep || is_blocked) ++counts_.refused;
  is_ignored_ = is_asleep || is_blocked || !is_known(value);
}

// The octet that goes out next, after `octets_in_` whole ones have come in.
uint8_t Flash::answer(uint64_t now) {
  if (is_ignored_) return 0xff;
  const uint64_t lead = AddressOctets + (command_ == FastRead ? 2 : 1);
  if (is_read(command_)) {
    return octets_in_ < lead ? 0xff : array_[(address_ + octets_in_ - lead) % Octets];
  }
  switch (command_) {
    case ReadStatus1: return status1(now);
    case ReadStatus2: case ReadStatus3: return 0;
    case JedecId: return Identity[(octets_in_ - 1) % 3];
    case ReleasePowerDown: return octets_in_ < 4 ? 0xff : DeviceId;
    case ManufacturerAndDevice:
      if (octets_in_ < 4) return 0xff;
      return (octets_in_ + address_) % 2 == 0 ? Identity[0] : DeviceId;
    default: return 0xff;
  }
}

uint8_t Flash::status1(uint64_t now) {
  settle(now);
  return static_cast<uint8_t>((operation_ != Operation::None ? 1 : 0) | (write_enabled_ ? 2 : 0));
}

void Flash::deselect(uint64_t now) {
  if (octets_in_ == 0 || is_ignored_) return;
  if (bits_in_ != 0 && !is_read(command_) && !is_status(command_)) {
    ++counts_.refused;
    return;
  }
  execute(now);
}

void Flash::execute(uint64_t now) {
  const bool was_reset_enabled = reset_enabled_;
  reset_enabled_ = command_ == EnableReset;
  switch (command_) {
    case WriteEnable: write_enabled_ = true; break;
    case WriteDisable: write_enabled_ = false; break;
    case PowerDown: is_powered_down_ = true; break;
    case ReleasePowerDown: is_powered_down_ = false; break;
    case Reset:
      if (was_reset_enabled) power_loss(now);
      break;
    case PageProgram:
      if (octets_in_ > AddressOctets + 1)
        start(now, Operation::Program, address_ & ~(PageOctets - 1), PageOctets, PageProgramS);
      else
        ++counts_.refused;
      break;
    case SectorErase: start(now, Operation::Erase, address_ & ~0xfffu, 0x1000, SectorEraseS); break;
    case BlockErase32: start(now, Operation::Erase, address_ & ~0x7fffu, 0x8000, BlockErase32S); break;
    case BlockErase64: start(now, Operation::Erase, address_ & ~0xffffu, 0x10000, BlockErase64S); break;
    case ChipErase: case ChipEraseToo: start(now, Operation::Erase, 0, Octets, ChipEraseS); break;
    default: break;
  }
}

void Flash::start(uint64_t now, Operation operation, uint32_t first, uint32_t octets, double seconds) {
  const bool is_chip = command_ == ChipErase || command_ == ChipEraseToo;
  const bool has_address = is_chip || octets_in_ > AddressOctets;
  if (!write_enabled_ || !has_address) {
    ++counts_.refused;
    return;
  }
  operation_ = operation;
  first_ = first;
  count_ = octets;
  program_ = page_;
  started_ = now;
  ends_ = now + static_cast<uint64_t>(std::llround(seconds * settings_.clock_hz * settings_.time_scale));
  settle(now);
}

bool Flash::is_busy(uint64_t now) {
  settle(now);
  return operation_ != Operation::None;
}

// Carry out what has come to its end by now.
void Flash::settle(uint64_t now) {
  if (operation_ != Operation::None && now >= ends_) finish(1.0);
}

void Flash::finish(double share) {
  if (operation_ == Operation::Program) {
    finish_program(share);
    ++counts_.programs;
  } else if (operation_ == Operation::Erase) {
    finish_erase(share);
    ++counts_.erases;
  }
  hold_stuck();
  operation_ = Operation::None;
  write_enabled_ = false;
}

void Flash::stick(uint32_t address, unsigned bit, bool value) {
  stuck_.push_back({address % Octets, static_cast<uint8_t>(1u << bit % 8), value});
  hold_stuck();
}

// The array, and so its file, is what the part would be read as.
void Flash::hold_stuck() {
  for (const StuckBit& stuck : stuck_) {
    if (stuck.value) array_[stuck.address] |= stuck.mask;
    else array_[stuck.address] &= static_cast<uint8_t>(~stuck.mask);
  }
}

// Each bit has its own moment within the operation.
void Flash::finish_program(double share) {
  for (uint32_t at = 0; at < PageOctets; ++at) {
    if (!program_.given[at]) continue;
    for (unsigned bit = 0; bit < 8; ++bit) {
      const uint64_t place = (static_cast<uint64_t>(first_) + at) * 8 + bit;
      const bool is_cleared = !(program_.data[at] >> bit & 1);
      if (is_cleared && chance(settings_.seed, 'p', place) < share)
        array_[first_ + at] &= static_cast<uint8_t>(~(1u << bit));
    }
  }
}

void Flash::finish_erase(double share) {
  if (share >= 1.0) {
    std::memset(array_ + first_, 0xff, count_);
    return;
  }
  const double cleared = share / PreProgramShare;
  const double set = (share - PreProgramShare) / (1 - PreProgramShare);
  for (uint32_t at = first_; at < first_ + count_; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const uint8_t mask = static_cast<uint8_t>(1u << bit);
      const double moment = chance(settings_.seed, 'e', static_cast<uint64_t>(at) * 8 + bit);
      if (moment < cleared) array_[at] &= static_cast<uint8_t>(~mask);
      if (moment < set) array_[at] |= mask;
    }
  }
}

void Flash::power_loss(uint64_t now) {
  settle(now);
  if (operation_ != Operation::None) {
    ++counts_.interrupted;
    finish(static_cast<double>(now - started_) / static_cast<double>(ends_ - started_));
  }
  write_enabled_ = reset_enabled_ = is_powered_down_ = false;
  cs_n_ = miso_ = true;
  is_ignored_ = true;
}

}  // namespace twin
