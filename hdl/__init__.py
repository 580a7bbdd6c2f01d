# SPDX-License-Identifier: Apache-2.0
"""Hand-written SystemVerilog, and the cocotb benches that check it."""
