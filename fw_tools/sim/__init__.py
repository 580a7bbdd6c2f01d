# SPDX-License-Identifier: Apache-2.0
"""Verilator and cocotb: build (cached), run, count, waves, coverage."""
