# SPDX-License-Identifier: Apache-2.0
"""Telemetry decoding that stands alone: bytes to packets, packets to numbers, numbers to people."""
