# SPDX-License-Identifier: Apache-2.0
"""Tests of any payload over its line: `fw-tools selftest` runs them on a board or its twin."""
