# SPDX-License-Identifier: Apache-2.0
"""Hypothesis runs under one profile in the whole test run."""

import os

from hypothesis import settings


def test_no_example_has_a_deadline_and_ci_repeats_its_examples() -> None:
    assert settings.default is settings.get_profile("run")
    assert settings().deadline is None
    assert settings().derandomize is bool(os.environ.get("CI"))
