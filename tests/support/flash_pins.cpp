// SPDX-License-Identifier: Apache-2.0
// The twin's flash alone, on pins that are moved here in SPI mode 0; its clock is the wall's.
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "flash.h"

namespace {

uint64_t now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

uint8_t exchange(twin::Flash& flash, uint64_t at, uint8_t sent) {
  uint8_t got = 0;
  for (int bit = 7; bit >= 0; --bit) {
    const bool mosi = sent >> bit & 1;
    got = static_cast<uint8_t>(got << 1 | flash.pins(at, false, false, mosi));
    flash.pins(at, true, false, mosi);
  }
  flash.pins(at, false, false, false);
  return got;
}

}  // namespace

extern "C" {

void* flash_open(double time_scale) {
  return new twin::Flash({.clock_hz = 1e9, .time_scale = time_scale});
}

void flash_close(void* flash) { delete static_cast<twin::Flash*>(flash); }

// Send octets and read as many as asked behind them, all within one chip select.
void flash_exchange(void* chip, const uint8_t* sent, size_t count, uint8_t* answer, size_t wanted) {
  twin::Flash& flash = *static_cast<twin::Flash*>(chip);
  const uint64_t at = now();
  flash.pins(at, false, false, false);
  for (size_t place = 0; place < count; ++place) exchange(flash, at, sent[place]);
  for (size_t place = 0; place < wanted; ++place) answer[place] = exchange(flash, at, 0);
  flash.pins(at, false, true, false);
}

void flash_content(void* chip, uint8_t* to) {
  const twin::Flash& flash = *static_cast<twin::Flash*>(chip);
  for (size_t place = 0; place < twin::Flash::Octets; ++place) to[place] = flash.array()[place];
}

}
