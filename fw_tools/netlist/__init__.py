# SPDX-License-Identifier: Apache-2.0
"""Yosys in a child process: netlists and what is left in them."""
