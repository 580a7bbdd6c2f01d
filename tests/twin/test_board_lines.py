# SPDX-License-Identifier: Apache-2.0
"""Reset strategies and strappings of a board.toml, down to the pins of a twin's RTL.

The stand-in says '!' when it comes out of reset, and '?' where boot select is high then. DTR off
holds its reset, RTS off selects boot.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import serial
from esp_pylib import serial_reset
from twin_bench import PATIENCE_S, StartTwin, wait_until

from fw_tools.board.board import WiredBoard
from fw_tools.board.capability import Capability, MissingCapabilityError
from fw_tools.board.port_lines import run_steps, set_port_lines
from fw_tools.board.transport import Transport, open_transport
from fw_tools.board.twin import PortKind, Twin
from fw_tools.errors import LinkError, UsageError
from fw_tools.spec.board import load_board
from fw_tools.spec.board_lines import STRATEGIES, Line, Step

# pyserial's RFC 2217 client starts its thread the old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name)")

BOARD = """
[board]
name = "stand_in"
baud = 750000
[pins]
nrst = "dtr"
reset = "!nrst"
boot_select = "!rts"
[reset]
steps = [{ reset = true, for = "40ms" }, { reset = false }]
[strap.golden]
steps = [{ boot_select = true, for = "10ms" }]
[strap.loader]
steps = [
  { boot_select = true },
  { nrst = false, for = "30ms" },
  { nrst = true, for = "30ms" },
  { boot_select = false },
]
"""


def wired(twin: Twin, folder: Path, text: str = BOARD) -> WiredBoard:
    path = folder / "board.toml"
    path.write_text(text)
    return WiredBoard(load_board(path), None, twin.url)


def said(transport: Transport, count: int) -> bytes:
    """Return so many octets, and whatever comes in a moment more."""
    heard = b""
    deadline = time.monotonic() + PATIENCE_S
    while len(heard) < count and time.monotonic() < deadline:
        heard += transport.read(0.1)
    return heard + transport.read(0.2)


def test_a_reset_by_steps_of_named_pins_reaches_the_reset_pin(
    start_twin: StartTwin, tmp_path: Path
) -> None:
    twin = start_twin(port=PortKind.RFC2217)
    with wired(twin, tmp_path) as board:
        board.uart()
        before = twin.statistics()["resets"]
        board.reset()
        assert said(board.uart(), 1) == b"!"
        assert twin.statistics()["resets"] == before + 1


def test_a_strapping_holds_boot_select_over_a_reset_and_lets_it_go(
    start_twin: StartTwin, tmp_path: Path
) -> None:
    with wired(start_twin(port=PortKind.RFC2217), tmp_path) as board:
        with board.strap("golden"):
            board.reset()
            assert said(board.uart(), 1) == b"?"
        board.reset()
        assert said(board.uart(), 1) == b"!"


def test_a_strapping_may_hold_a_reset_of_its_own(start_twin: StartTwin, tmp_path: Path) -> None:
    with wired(start_twin(port=PortKind.RFC2217), tmp_path) as board:
        assert board.resets_by_itself("loader")
        assert not board.resets_by_itself("golden")
        with board.strap("loader"):
            assert said(board.uart(), 1) == b"?"


def test_a_line_goes_idle_as_the_file_says_when_the_port_is_opened(
    start_twin: StartTwin, tmp_path: Path
) -> None:
    text = BOARD.replace("[reset]", "[idle]\nboot_select = true\n[reset]")
    with wired(start_twin(port=PortKind.RFC2217), tmp_path, text) as board:
        board.reset()
        assert said(board.uart(), 1) == b"?"


# As esptool does it: the strategy's name here, and its function there.
ESPTOOL: dict[str, Callable[[Any], None]] = {
    "classic": lambda port: serial_reset.classic_bootloader_reset(
        port, enter_boot_delay=0.1, reset_delay=0.05
    ),
    "usb_jtag": serial_reset.usb_jtag_bootloader_reset,
    "hard": lambda port: serial_reset.hard_reset(port, hold_delay=0.1, post_release_delay=0),
    "hard_usb": lambda port: serial_reset.hard_reset(port, hold_delay=0.2, post_release_delay=0.2),
}


@pytest.mark.parametrize("name", list(ESPTOOL))
def test_a_strategy_moves_the_pins_of_the_payload_as_esptool_does(
    start_twin: StartTwin, name: str
) -> None:
    """How often it was reset, and with which boot select it came out, by esptool and by us."""
    twin = start_twin(port=PortKind.RFC2217)
    with serial.serial_for_url(twin.url, baudrate=twin.baud, timeout=0.3) as port:
        before = twin.statistics()["resets"]
        ESPTOOL[name](port)
        theirs = (port.read(10), twin.statistics()["resets"] - before)
    wait_until(lambda: _is_free(twin), "the end of the first client")
    transport = open_transport(twin.url, twin.baud)
    before = twin.statistics()["resets"]
    run_steps(transport, STRATEGIES[name])
    heard = said(transport, len(theirs[0]))
    assert (heard, twin.statistics()["resets"] - before) == theirs
    transport.close()


def _is_free(twin: Twin) -> bool:
    try:
        open_transport(twin.url, twin.baud).close()
    except LinkError:
        return False
    return True


class Recorder:
    """Notes when its lines change, as a port of pyserial has them."""

    def __init__(self) -> None:
        self._state = {"dtr": True, "rts": True}
        self.changes: list[tuple[float, dict[str, bool]]] = []

    def _set(self, name: str, is_on: bool) -> None:
        if self._state[name] != is_on:
            self._state[name] = is_on
            self.changes.append((time.monotonic(), dict(self._state)))

    def setDTR(self, is_on: bool) -> None:  # noqa: N802 (pyserial's name)
        self._set("dtr", is_on)

    def setRTS(self, is_on: bool) -> None:  # noqa: N802
        self._set("rts", is_on)

    dtr = property(lambda self: self._state["dtr"], setDTR)
    rts = property(lambda self: self._state["rts"], setRTS)


class RecordedPort:
    """A transport of which the lines alone are of interest."""

    def __init__(self) -> None:
        self.port = Recorder()

    def set_lines(self, states: dict[Line, bool]) -> None:
        set_port_lines(self.port, states, "recorder")


@pytest.mark.parametrize("name", list(ESPTOOL))
def test_a_strategy_has_the_states_and_times_of_esptool(name: str) -> None:
    theirs, ours = Recorder(), RecordedPort()
    ESPTOOL[name](theirs)
    run_steps(ours, STRATEGIES[name])  # type: ignore[arg-type]
    assert [state for _, state in ours.port.changes] == [state for _, state in theirs.changes]
    for mine, other in zip(gaps(ours.port), gaps(theirs), strict=True):
        assert mine == pytest.approx(other, abs=0.04)


def gaps(port: Recorder) -> list[float]:
    times = [moment for moment, _ in port.changes]
    return [after - before for before, after in pairwise(times)]


def test_the_tight_strategy_is_what_esptool_documents() -> None:
    """Its custom sequence there: U0,0|U1,1|U0,1|W0.1|U1,0|W0.05|U0,0."""
    pairs = [(False, False), (True, True), (False, True), (True, False), (False, False)]
    holds = [0, 0, 0.1, 0.05, 0]
    assert STRATEGIES["tight"] == tuple(
        Step(((Line.DTR, dtr), (Line.RTS, rts)), hold)
        for (dtr, rts), hold in zip(pairs, holds, strict=True)
    )


@pytest.mark.parametrize("kind", [PortKind.PTY, PortKind.TCP])
def test_a_port_without_lines_says_so(
    start_twin: StartTwin, tmp_path: Path, kind: PortKind
) -> None:
    with wired(start_twin(port=kind), tmp_path) as board:
        assert not board.capabilities & {Capability.RESET, Capability.STRAP}
        with pytest.raises(MissingCapabilityError, match="has no DTR and RTS") as raised:
            board.reset()
        assert raised.value.capability is Capability.RESET


@pytest.mark.parametrize("states", [{Line.DTR: False}, {Line.DTR: True, Line.RTS: False}])
def test_the_system_refuses_lines_of_a_pty_and_that_is_told(
    start_twin: StartTwin, states: dict[Line, bool]
) -> None:
    twin = start_twin(port=PortKind.PTY)
    transport = open_transport(twin.url, twin.baud)
    with pytest.raises(LinkError, match="this port has no DTR and RTS; nothing was set"):
        transport.set_lines(states)
    transport.close()


def test_a_strapping_that_there_is_not_is_told(start_twin: StartTwin, tmp_path: Path) -> None:
    with (
        wired(start_twin(port=PortKind.RFC2217), tmp_path) as board,
        pytest.raises(UsageError, match="no strapping 'golde'; did you mean 'golden'"),
        board.strap("golde"),
    ):
        pass
