// SPDX-License-Identifier: Apache-2.0
#include "design.h"

#include "verilated_syms.h"

namespace twin {

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
  const std::string whole = top_scope() + "." + path;
  const size_t dot = whole.rfind('.');
  const VerilatedScope* scope = context_->scopeFind(whole.substr(0, dot).c_str());
  if (scope == nullptr) return "no instance " + path.substr(0, path.rfind('.'));
  const VerilatedVar* variable = scope->varFind(whole.c_str() + dot + 1);
  if (variable == nullptr) return "no register or memory " + path;
  uint32_t words = 1;
  for (const VerilatedRange& range : variable->unpackedRanges()) words *= static_cast<uint32_t>(range.elements());
  const uint32_t bits = variable->entBits();
  if (word >= words) return path + " has words 0.." + std::to_string(words - 1);
  if (bit >= bits) return path + " has bits 0.." + std::to_string(bits - 1);
  auto* octets = static_cast<uint8_t*>(variable->datap()) + static_cast<size_t>(word) * variable->entSize();
  octets[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);  // Of a little-endian machine.
  return "";
}

// The scope of the top module, "TOP.NAME": all others lie in it. Packages stand beside it,
// and have no pins.
std::string Design::top_scope() const {
  for (const auto& entry : *context_->scopeNameMap()) {
    const std::string name = entry.first;
    const bool is_below_top = name.rfind("TOP.", 0) == 0 && name.find('.', 4) == std::string::npos;
    if (is_below_top && name != "TOP.TOP" && entry.second->varFind("uart_rx_i")) return name;
  }
  return "";
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
