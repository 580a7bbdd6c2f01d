# SPDX-License-Identifier: Apache-2.0
"""Power rails as arithmetic: records, dependency order, and the sequencer's reference machine."""
