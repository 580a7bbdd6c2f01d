// SPDX-License-Identifier: Apache-2.0
// What generated sources and cocotb's verilator.cpp include: compiled once, kept in the compile cache.
#include <memory>
#include <string>

#include "verilated.h"
#include "verilated_dpi.h"
#include "verilated_timing.h"
#include "verilated_vpi.h"
