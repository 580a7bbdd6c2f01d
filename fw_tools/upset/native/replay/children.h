// SPDX-License-Identifier: Apache-2.0
// Processes that part from golden, so many at a time.
#pragma once
#include <algorithm>
#include <sys/wait.h>
#include <unistd.h>

#include "bits.h"

namespace replay {

class Children {
 public:
  void finish() {
    while (running_) wait_for_one();
  }

  template <typename Work>
  void part(const Work& work) {
    static const long most = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
    while (running_ >= most) wait_for_one();
    const pid_t child = fork();
    if (child < 0) fail("no further process can be started");
    if (child == 0) {
      work();
      _exit(0);
    }
    running_++;
  }

 private:
  long running_ = 0;

  void wait_for_one() {
    int status = 0;
    if (wait(&status) < 0 || status != 0) fail("a replay ended early");
    running_--;
  }
};

}  // namespace replay
