# SPDX-License-Identifier: Apache-2.0
"""Packets to numbers."""
