// SPDX-License-Identifier: Apache-2.0
// All patterns of one to four flips of a (72,64) decoder as one writes it with Verilator.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "Vhsiao_72_64_dec.h"

int main() {
  Vhsiao_72_64_dec top;
  uint32_t word[3] = {0, 0, 0};
  long count = 0, silent = 0;
  const auto look = [&] {
    std::memcpy(&top.codeword_i[0], word, sizeof word);
    top.eval();
    count++;
    silent += !top.uncorrectable_o && top.data_o != 0;
  };
  const auto flip = [&](int bit) { word[bit / 32] ^= 1u << bit % 32; };
  const clock_t began = std::clock();
  for (int a = 0; a < 72; a++) {
    flip(a), look();
    for (int b = a + 1; b < 72; b++) {
      flip(b), look();
      for (int c = b + 1; c < 72; c++) {
        flip(c), look();
        for (int d = c + 1; d < 72; d++) flip(d), look(), flip(d);
        flip(c);
      }
      flip(b);
    }
    flip(a);
  }
  std::printf("%ld %ld %f\n", count, silent, double(std::clock() - began) / CLOCKS_PER_SEC);
}
