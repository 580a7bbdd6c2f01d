# SPDX-License-Identifier: Apache-2.0
"""Descriptions (payload.toml, bench.toml) as typed models; every mistake found in one run."""
