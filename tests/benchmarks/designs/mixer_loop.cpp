// SPDX-License-Identifier: Apache-2.0
// The campaign on `mixer` as one writes it with Verilator: go back, flip, run, compare.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "Vmixer.h"
#include "Vmixer___024root.h"

int main(int, char **argv) {
  const int clocks = atoi(argv[1]), horizon = atoi(argv[2]), every = atoi(argv[3]);
  Vmixer top;
  auto &state = top.rootp->mixer__DOT__state_q;
  auto clock = [&] { top.clk_i = 0, top.eval(), top.clk_i = 1, top.eval(); };
  top.rst_ni = 0, clock(), top.rst_ni = 1;
  using State = std::vector<uint32_t>;
  const size_t words = 10;
  std::vector<State> golden;
  std::vector<uint64_t> out;
  for (int i = 0; i < clocks + horizon; i++) {
    golden.push_back(State(&state[0], &state[0] + words));
    clock();
    out.push_back(uint64_t(top.accepted_o) << 32 | top.data_o);
  }
  long injections = 0, differ = 0;
  const clock_t began = std::clock();
  for (int at = 0; at < clocks; at += every)
    for (int bit = 0; bit < 300; bit++, injections++) {
      std::memcpy(&state[0], golden[at].data(), words * 4);
      state[bit / 32] ^= 1u << bit % 32;
      bool differs = false;
      for (int i = 0; i < horizon; i++) {
        clock();
        differs |= out[at + i] != (uint64_t(top.accepted_o) << 32 | top.data_o);
      }
      differ += differs;
    }
  std::printf("%ld %ld %f\n", injections, differ, double(std::clock() - began) / CLOCKS_PER_SEC);
}
