# SPDX-License-Identifier: Apache-2.0
"""Twins of small designs that stand in for a payload, and clients that are pyserial's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import serial
from twin_bench import PATIENCE_S, OpenClient, StartTwin, stand_in

from fw_tools.board.twin import TwinOptions, running_twin
from fw_tools.power.records import RailSpec
from fw_tools.spec.load import load_payload


@pytest.fixture
def start_twin(tmp_path: Path) -> Iterator[StartTwin]:
    """Return a function that starts a twin; it is ended after the test."""
    with ExitStack() as stack:

        def start(
            name: str = "echo_twin",
            rails: tuple[RailSpec, ...] = (),
            say: Callable[[str], None] = lambda _: None,
            **options: Any,
        ) -> Any:
            options.setdefault("link", tmp_path / "port")
            design = stand_in(name, rails)
            return stack.enter_context(running_twin(design, TwinOptions(**options), say))

        yield start


@pytest.fixture
def open_client() -> Iterator[OpenClient]:
    """Return a function that opens a twin with pyserial, by default at the twin's own rate."""
    with ExitStack() as stack:

        def open_(twin: Any, **settings: Any) -> Any:
            settings = {"baudrate": twin.baud, "timeout": PATIENCE_S} | settings
            return stack.enter_context(serial.serial_for_url(twin.url, **settings))

        yield open_


@pytest.fixture(scope="session")
def example_rails(repository: Path) -> tuple[RailSpec, ...]:
    """Return the rails of the example payload."""
    return load_payload(repository / "examples" / "compute_node" / "payload.toml").rails
