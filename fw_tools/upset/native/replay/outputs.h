// SPDX-License-Identifier: Apache-2.0
// The files that a run leaves; each process writes its rows where they belong.
#pragma once
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include "bits.h"

namespace replay {

class Output {
 public:
  explicit Output(const std::string& path) : file_(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0666)) {
    if (file_ < 0) fail(path + ": cannot be written");
  }

  void write_at(uint64_t offset, const Row& row) const {
    if (pwrite(file_, row.data(), row.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(row.size()))
      fail("the disk is full");
  }

 private:
  int file_;
};

struct Outputs {
  Output golden, golden_states, traces, states;
  explicit Outputs(const std::string& folder)
      : golden(folder + "/golden.bin"), golden_states(folder + "/golden_states.bin"),
        traces(folder + "/traces.bin"), states(folder + "/states.bin") {}
};

}  // namespace replay
