# SPDX-License-Identifier: Apache-2.0
"""Triplication: a module becomes three replicas of itself that vote, and that heal."""
