# SPDX-License-Identifier: Apache-2.0
"""From sources to a placed and routed design: what it takes of a part, and how fast it may run."""
