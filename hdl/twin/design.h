// SPDX-License-Identifier: Apache-2.0
// The payload under Verilator, clock by clock: its pins, its supply, its waves, upsets in its storage.
#pragma once

#include <memory>
#include <string>

#include "Vtwin.h"
#include "Vtwin___024root.h"
#include "leap.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

void Vtwin___024root___eval(Vtwin___024root* root);

namespace twin {

class Design {
 public:
  Design() { power_on(); }
  ~Design() { power_off(); }

  // Storage is as after configuration of an FPGA: initial values, else 0.
  void power_on();
  void power_off();
  bool is_powered() const { return top_ != nullptr; }
  Vtwin& pins() { return *top_; }
  const Vtwin___024root* model() const { return top_ ? top_->rootp : nullptr; }  // None without power.

  // Invert bit `bit` of word `word` of the register or memory `path` ("u_engine.state_q"). Returns
  // what is wrong, or "".
  std::string upset(const std::string& path, uint32_t word, uint32_t bit);

  // One line each, "PATH WORDS BITS": the registers and memories that can be upset.
  std::string storage();

  void trace_begin(const std::string& file);
  void trace_end();

  // At least one clock and at most `most`, all with the inputs as they are; return how many. An output moves with the
  // first of them or with none.
  uint64_t pass(uint64_t most) {
#if VM_TRACE
    most = 1;  // Waves show every clock.
#endif
    const bool is_watched = most > 1 && leap_->begin();
    tick();
    const uint64_t leapt = is_watched ? leap_->end(most - 1) : 0;
    leapt_ += leapt;
    return 1 + leapt;
  }
  uint64_t leapt() const { return leapt_; }  // Clocks that were not evaluated.

 private:
  // One clock; the inputs count as set before its rising edge.
  void tick() {
#if VM_TRACE
    fall_and_rise();
#else
    rise(*top_->rootp);
#endif
  }

  // The clock falls without being evaluated: nothing of ours happens on a falling edge, and half
  // of the time would go into seeing that. Verilator remembers the last level of what triggers in
  // members, of which the build counts those that are no reset: where there is more than the clock,
  // both edges are evaluated. A reset made within moves with the rising edge, and is seen there.
  // The model is called without the locks and queues around it, which serve $display and threads.
  template <class Root>
  void rise(Root& root) {
    if constexpr (TWIN_TRIGGERS == 1 && requires { root.__Vtrigprevexpr___TOP__clk_i__0; }) {
      root.__Vtrigprevexpr___TOP__clk_i__0 = 0;
      root.clk_i = 1;
      Vtwin___024root___eval(&root);
    } else {
      top_->clk_i = 0;
      top_->eval();
      top_->clk_i = 1;
      top_->eval();
    }
  }
  void fall_and_rise();

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vtwin> top_;
  std::unique_ptr<Leap> leap_;
  uint64_t leapt_ = 0;
#if VM_TRACE
  std::unique_ptr<VerilatedVcdC> waves_;
#endif
};

}  // namespace twin
