# SPDX-License-Identifier: Apache-2.0
"""The small board, as records."""

from pathlib import Path

import pytest

from fw_tools.power.records import RailSpec
from fw_tools.spec.load import load_payload


@pytest.fixture(scope="session")
def small_board() -> tuple[RailSpec, ...]:
    """Return the rails bus, core, io and fan."""
    return load_payload(Path(__file__).parent / "small_board.toml").rails
