// SPDX-License-Identifier: Apache-2.0
#include "board.h"

#include <algorithm>

namespace twin {

Board::Board(const BoardSettings& settings, Channel& channel)
    : settings_(settings),
      channel_(channel),
      flash_(settings.flash),
      rails_(settings.rails),
      to_payload_(settings.seed, 't'),
      from_payload_(settings.seed, 'f'),
      transmitter_(settings.clock_hz, to_payload_),
      reset_until_(SupervisorCycles) {
  drive_reset();
  set_rate(0);
}

void Board::run(uint64_t cycles) {
  const uint64_t end = now_ + cycles;
  plan();
  while (now_ < end) {
    const uint64_t stop = std::min(end, next_);
    if (design_.is_powered()) run_powered(stop);
    else now_ = std::max(now_, stop);
    if (now_ >= next_) handle_events();
  }
}

// Clock the payload until `stop`, which an output may bring forward.
void Board::run_powered(uint64_t stop) {
  while (now_ < stop) {
    now_ += design_.pass(settings_.is_leaping ? stop - now_ : 1);
    if (__builtin_expect(outputs_moved(), 0)) {
      answer_outputs();
      stop = std::min(stop, next_);
    }
  }
}

bool Board::outputs_moved() {
  Vtwin& pins = design_.pins();
  const unsigned wire = (pins.uart_tx_o ^ tx_) & static_cast<unsigned>(is_hunting_);
  const unsigned spi = (pins.flash_sck_o ^ sck_) | (pins.flash_cs_no ^ cs_n_);
  return (wire | spi) != 0 || pins.rail_enable_o != enables_;
}

void Board::answer_outputs() {
  Vtwin& pins = design_.pins();
  if (pins.flash_sck_o != sck_ || pins.flash_cs_no != cs_n_) {
    // A select and a clock that move together: the select counts first.
    if (pins.flash_cs_no != cs_n_) flash_.pins(now_, sck_, pins.flash_cs_no, pins.flash_mosi_o);
    pins.flash_miso_i = flash_.pins(now_, pins.flash_sck_o, pins.flash_cs_no, pins.flash_mosi_o);
    sck_ = pins.flash_sck_o;
    cs_n_ = pins.flash_cs_no;
  }
  if (pins.rail_enable_o != enables_) {
    const uint64_t risen = pins.rail_enable_o & ~enables_;
    enables_ = pins.rail_enable_o;
    rails_.set_enables(now_, enables_);
    drive_inputs();
    for (size_t n = 0; risen >> n != 0 && n < 64; ++n) {
      if (risen >> n & 1) trace_on("rail:" + std::to_string(n));
    }
  }
  if (is_hunting_ && pins.uart_tx_o != tx_) {
    tx_ = pins.uart_tx_o;
    receiver_.advance(now_, tx_);
    is_hunting_ = receiver_.is_hunting();
  }
  plan();
}

void Board::handle_events() {
  while (!schedule_.empty() && schedule_.begin()->first <= now_) {
    const Message message = schedule_.begin()->second;
    schedule_.erase(schedule_.begin());
    handle(message);
  }
  if (transmitter_.next() <= now_) drive_wire();
  if (receiver_.next() <= now_) {
    tx_ = design_.is_powered() ? design_.pins().uart_tx_o : 1;
    if (receiver_.advance(now_, tx_)) receive(receiver_.value());
    is_hunting_ = receiver_.is_hunting();
  }
  if (rails_.next() <= now_) {
    rails_.advance(now_);
    drive_inputs();
  }
  if (reset_until_ <= now_) {
    reset_until_ = Never;
    drive_reset();
  }
  if (trace_until_ <= now_) {
    trace_until_ = Never;
    design_.trace_end();
    event("trace written: " + settings_.trace_file);
  }
  plan();
}

void Board::plan() {
  next_ = std::min({transmitter_.next(), receiver_.next(), rails_.next(), reset_until_, trace_until_});
  if (!schedule_.empty()) next_ = std::min(next_, schedule_.begin()->first);
}

}  // namespace twin
