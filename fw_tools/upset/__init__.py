# SPDX-License-Identifier: Apache-2.0
"""Upset campaigns: every stored bit flipped in every clock, many faulty machines at once."""
