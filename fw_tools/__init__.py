# SPDX-License-Identifier: Apache-2.0
"""The firmware tools: from one payload description to gateware, its benches and its telemetry."""
