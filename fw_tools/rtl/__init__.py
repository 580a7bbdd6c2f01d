# SPDX-License-Identifier: Apache-2.0
"""From the model to text: SystemVerilog, register maps, telemetry definitions."""
