// SPDX-License-Identifier: Apache-2.0
// Replays injections on a Verilated model: what its outputs are in every clock, and its state at the end.
//
//   sim FOLDER            every job of FOLDER/jobs.bin; each in a process that parts from golden's
//   sim FOLDER FILE       golden, up to the end of the first job, with its waves in FILE
//   sim FOLDER FILE flip  the same with that job's injection
//
// FOLDER/plan.txt names the bits of the model, inputs.bin and initial.bin hold an octet for each bit.
// Golden's outputs go to golden.bin, those of the jobs to traces.bin, their states to golden_states.bin
// and states.bin; a row is packed, least significant bit first.
#include "children.h"
#include "design.h"
#include "jobs.h"
#include "outputs.h"

using namespace replay;

namespace {

void run_job(Design& design, const Jobs& jobs, size_t number, const Outputs& outputs) {
  const Job& job = jobs.list[number];
  Row trace;
  begins_at_edge(job) ? design.begin_at_edge(job) : design.begin(job);
  for (uint32_t passed = 0; passed < jobs.horizon; passed++) {
    if (passed) design.drive(job.cycle + passed);
    const Row row = design.outputs();
    trace.insert(trace.end(), row.begin(), row.end());
    passed ? design.clock() : design.clock_of(job);
  }
  const Row state = design.state();
  outputs.traces.write_at(number * trace.size(), trace);
  outputs.states.write_at(number * state.size(), state);
}

void run_all(Design& design, const Jobs& jobs, const std::string& folder) {
  const Outputs outputs(folder);
  Children children;
  size_t next = 0, next_at_edge = 0, ended = 0;
  const auto part_at = [&](size_t& job, uint32_t cycle, bool is_at_edge) {
    for (; job < jobs.list.size() && jobs.list[job].cycle == cycle; job++)
      if (begins_at_edge(jobs.list[job]) == is_at_edge)
        children.part([&] { run_job(design, jobs, job, outputs); });
  };
  for (uint32_t cycle = 0; cycle <= design.cycles(); cycle++) {
    for (; ended < jobs.list.size() && jobs.list[ended].cycle + jobs.horizon == cycle; ended++) {
      const Row state = design.state();
      outputs.golden_states.write_at(ended * state.size(), state);
    }
    if (cycle == design.cycles()) break;
    design.drive(cycle);
    part_at(next, cycle, false);
    const Row row = design.outputs();
    outputs.golden.write_at(cycle * row.size(), row);
    if (cycle == 0) part_at(next_at_edge, 0, true);
    part_at(next_at_edge, cycle + 1, true);
    design.clock();
  }
  children.finish();
}

void run_waves(Design& design, const Jobs& jobs, const std::string& file, bool is_faulty) {
  const Job& job = jobs.list.at(0);
  design.open_waves(file);
  bool is_driven = false;
  for (uint32_t cycle = 0; cycle < job.cycle + jobs.horizon; cycle++) {
    if (!is_driven) design.drive(cycle);
    if (is_faulty && cycle == job.cycle && !begins_at_edge(job)) design.begin(job);
    is_driven = is_faulty && cycle + 1 == job.cycle && begins_at_edge(job);
    if (is_driven) design.begin_at_edge(job);
    else if (is_faulty && cycle == job.cycle) design.clock_of(job);
    else design.clock();
  }
  design.close_waves();
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) fail("sim FOLDER [FILE [flip]]");
  const std::string folder = words[1];
  Design design(folder);
  const Jobs jobs = read_jobs(folder + "/jobs.bin");
  if (count == 2)
    run_all(design, jobs, folder);
  else
    run_waves(design, jobs, words[2], count > 3);
  return 0;
}
