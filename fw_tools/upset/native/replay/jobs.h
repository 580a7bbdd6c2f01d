// SPDX-License-Identifier: Apache-2.0
// What is injected when: see fw_tools/upset/replay_plan.py.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "bits.h"

namespace replay {

enum Kind : uint32_t { kFlip, kTransient, kStuck0, kStuck1, kNetStuck0, kNetStuck1, kReset, kClockLost, kClockExtra };

struct Job {
  uint32_t cycle;
  uint32_t kind;
  std::vector<uint32_t> places;  // Of a reset or a clock: every member of its domain.
};

struct Jobs {
  uint32_t horizon;
  std::vector<Job> list;  // By their clocks, which do not fall.
};

inline Jobs read_jobs(const std::string& path) {
  const std::vector<uint32_t> words = read_items<uint32_t>(path);
  Jobs jobs{words.at(0), {}};
  for (size_t at = 1; at < words.size();) {
    const uint32_t* job = &words[at];
    jobs.list.push_back({job[0], job[1], {job + 3, job + 3 + job[2]}});
    at += 3 + job[2];
  }
  return jobs;
}

// Whether it begins with the rising edge before its clock.
inline bool begins_at_edge(const Job& job) { return job.kind >= kTransient && job.kind <= kReset && job.cycle > 0; }

}  // namespace replay
