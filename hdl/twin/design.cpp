// SPDX-License-Identifier: Apache-2.0
#include "design.h"

#include <string_view>

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

void Vtwin___024root___eval_settle(Vtwin___024root* root);

namespace twin {
namespace {

struct Variable {
  std::string_view path;
  size_t at;
  size_t octets;
  uint32_t words;
  uint32_t bits;
};

// Written by fw_tools/sim/members.py from the model; it may be none.
constexpr Variable Variables[] = {
    {"", 0, 0, 0, 0},
#define VARIABLE(path, name, words, bits) \
  {path, offsetof(Vtwin___024root, name), sizeof(Vtwin___024root::name), words, bits},
#include "Vtwin_storage.h"
#undef VARIABLE
};

// Invert a bit and let all follow that depends on it without a clock. A register keeps it; what leads to registers
// does not, and then it is as before.
bool flip(Vtwin___024root& root, const Variable& variable, uint32_t word, uint32_t bit) {
  uint8_t* const octet =
      reinterpret_cast<uint8_t*>(&root) + variable.at + word * (variable.octets / variable.words) + bit / 8;
  const uint8_t flipped = static_cast<uint8_t>(*octet ^ 1u << bit % 8);  // Of a little-endian machine.
  *octet = flipped;
  Vtwin___024root___eval_settle(&root);
  return *octet == flipped;
}

}  // namespace

void Design::power_on() {
  if (top_) return;
  context_ = std::make_unique<VerilatedContext>();
  context_->traceEverOn(VM_TRACE != 0);
  top_ = std::make_unique<Vtwin>(context_.get(), "TOP");
  top_->clk_i = 0;
  top_->rst_ni = 1;  // Falls in the first clock: an asynchronous reset needs its edge.
  top_->uart_rx_i = 1;
  top_->flash_miso_i = 1;
  top_->eval();
  leap_ = std::make_unique<Leap>(*top_->rootp);
}

void Design::power_off() {
  trace_end();
  if (top_) top_->final();
  leap_.reset();
  top_.reset();
  context_.reset();
}

void Design::fall_and_rise() {
  top_->clk_i = 0;
  top_->eval();
#if VM_TRACE
  if (waves_) waves_->dump(context_->time());
#endif
  context_->timeInc(1);
  top_->clk_i = 1;
  top_->eval();
#if VM_TRACE
  if (waves_) waves_->dump(context_->time());
#endif
  context_->timeInc(1);
}

std::string Design::upset(const std::string& path, uint32_t word, uint32_t bit) {
  if (!top_) return "the payload has no power";
  for (const Variable& variable : Variables) {
    if (variable.path != path || path.empty()) continue;
    if (word >= variable.words) return path + " has words 0.." + std::to_string(variable.words - 1);
    if (bit >= variable.bits) return path + " has bits 0.." + std::to_string(variable.bits - 1);
    if (flip(*top_->rootp, variable, word, bit)) return "";
  }
  return "no register or memory " + path;
}

std::string Design::storage() {
  std::string text;
  for (const Variable& variable : Variables) {
    if (variable.path.empty() || !flip(*top_->rootp, variable, 0, 0)) continue;
    flip(*top_->rootp, variable, 0, 0);
    text += std::string(variable.path) + " " + std::to_string(variable.words) + " " +
            std::to_string(variable.bits) + "\n";
  }
  return text;
}

void Design::trace_begin(const std::string& file) {
#if VM_TRACE
  if (!top_ || waves_) return;
  waves_ = std::make_unique<VerilatedVcdC>();
  top_->trace(waves_.get(), 99);
  waves_->open(file.c_str());
#else
  static_cast<void>(file);
#endif
}

void Design::trace_end() {
#if VM_TRACE
  if (waves_) waves_->close();
  waves_.reset();
#endif
}

}  // namespace twin
