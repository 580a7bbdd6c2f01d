# SPDX-License-Identifier: Apache-2.0
"""Each thing that a board can do, done once and proven by what comes over its line."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from fw_tools.board.board import Board
from fw_tools.board.capability import Capability
from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.exchange import NoAnswerError
from fw_tools.board.link import Link
from fw_tools.board.opening import client_of
from fw_tools.errors import LinkError
from fw_tools.pus.packets import Telemetry

LISTEN_S = 2.0  # For what a board says by itself.
QUIET_S = 0.2  # Nothing for so long ends what it says.
OPTIONS = ClientOptions(timeout_s=2.0)
QUICK = ClientOptions(timeout_s=0.3, tries=1)
# The event of a payload that began anew; its data are the boot select pin and the cause.
BOOT = "boot"
BY_PIN = 0


class Outcome(StrEnum):
    """How a proof ended."""

    PROVEN = "proven"
    DONE = "done"  # Without an error, but nothing shows that it had an effect.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Proof:
    """One row: what was tried, how it ended, and what was seen."""

    what: str
    outcome: Outcome
    seen: str


Check = Callable[[], tuple[Outcome, str]]


def prove(board: Board) -> Iterator[Proof]:
    """Yield the proof of each thing that the board's file says it can do, in order.

    Nothing is tried behind a line that does not open, or whose payload does not answer.
    """
    checks = _PayloadChecks(board) if board.has_payload else _PlainChecks(board)
    first = _proof("uart", checks.uart)
    yield first
    if first.outcome is Outcome.FAILED:
        return
    if Capability.RESET in board.capabilities:
        yield _proof("reset", checks.reset)
    if Capability.STRAP in board.capabilities:
        for name in board.strap_names:
            yield _proof(f"strap {name}", lambda name=name: checks.strap(name))  # type: ignore[misc]
    if Capability.POWER in board.capabilities:
        yield _proof("power", checks.power)


def _proof(what: str, check: Check) -> Proof:
    try:
        return Proof(what, *check())
    except LinkError as error:
        return Proof(what, Outcome.FAILED, str(error))


class _PlainChecks:
    """Of a board of which nothing is known but what it says by itself."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._at_reset = b""

    def uart(self) -> tuple[Outcome, str]:
        name = self._board.uart().name
        return Outcome.DONE, f"{name} opens; a link in [board] lets its payload be asked"

    def reset(self) -> tuple[Outcome, str]:
        self._listen()
        self._board.reset()
        self._at_reset = self._listen()
        return self._heard(self._at_reset)

    def strap(self, name: str) -> tuple[Outcome, str]:
        self._listen()
        with _strapped(self._board, name):
            heard = self._listen()
        outcome, seen = self._heard(heard)
        if heard and heard == self._at_reset:
            return Outcome.FAILED, f"{seen}, as without it"
        return outcome, seen

    def power(self) -> tuple[Outcome, str]:
        self._board.power(False)
        self._listen()
        self._board.power(True)
        return self._heard(self._listen())

    def _heard(self, octets: bytes) -> tuple[Outcome, str]:
        if octets:
            return Outcome.PROVEN, f"then the board said {octets[:24]!r}"
        return Outcome.FAILED, f"no octet came in {LISTEN_S:g} s after it"

    def _listen(self) -> bytes:
        """Return what comes, until it is quiet."""
        transport = self._board.uart()
        heard = transport.read(LISTEN_S)
        while heard and (more := transport.read(QUIET_S)) and len(heard) < 1 << 16:
            heard += more
        return heard


class _PayloadChecks:
    """Of a board whose payload can be asked."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._boots: list[tuple[int, int]] = []  # Boot select and cause.
        self._client: PayloadClient | None = None
        events = (event for event in board.description.events if event.name == BOOT)
        self._boot_id = next((event.id.to_bytes(2, "big") for event in events), None)

    def uart(self) -> tuple[Outcome, str]:
        self._client = client_of(self._board, OPTIONS)
        self._client.link.listen(self._note)
        ping = self._client.ping()
        return Outcome.PROVEN, (
            f"{self._board.description.payload} answers in {ping.round_trip_s * 1e3:.2f} ms"
        )

    def reset(self) -> tuple[Outcome, str]:
        self._boots.clear()
        self._board.reset()
        return self._booted()

    def strap(self, name: str) -> tuple[Outcome, str]:
        self._boots.clear()
        with _strapped(self._board, name):
            outcome, seen = self._booted()
        if outcome is not Outcome.PROVEN:
            return outcome, seen
        if any(is_selected for is_selected, _ in self._boots):
            return Outcome.PROVEN, "the payload began anew with its boot select pin high"
        return Outcome.DONE, f"{seen}; its boot select pin was low"

    def power(self) -> tuple[Outcome, str]:
        self._board.power(False)
        if self._answers_without_power():
            self._board.power(True)
            return Outcome.FAILED, "the payload answers while its supply is off"
        self._boots.clear()
        self._board.power(True)
        return self._booted()

    def _booted(self) -> tuple[Outcome, str]:
        assert self._client
        self._client.ping()
        if self._boot_id is None:
            return Outcome.DONE, f"the payload answers; it has no event {BOOT!r} to tell more"
        deadline = time.monotonic() + LISTEN_S
        while not self._boots and time.monotonic() < deadline:
            self._client.link.receive(time.monotonic() + QUIET_S)
        if any(cause == BY_PIN for _, cause in self._boots):
            return Outcome.PROVEN, "the payload told that it began anew, and answers"
        return Outcome.FAILED, f"the payload did not begin anew: no event {BOOT!r} came"

    def _answers_without_power(self) -> bool:
        client = PayloadClient(Link(self._board.uart()), self._board.description, QUICK)
        try:
            client.ping()
        except NoAnswerError:
            return False
        return True

    def _note(self, report: Telemetry) -> None:
        if report.service == 5 and report.data[:2] == self._boot_id:
            self._boots.append(divmod(int.from_bytes(report.data[2:], "big"), 1 << 16))


@contextmanager
def _strapped(board: Board, name: str) -> Iterator[None]:
    """Strap and reset; a strapping that moves the lines of the reset has one of its own."""
    with board.strap(name):
        if Capability.RESET in board.capabilities and not board.resets_by_itself(name):
            board.reset()
        yield


def failures(proofs: list[Proof]) -> list[str]:
    """Return what was not as it should be."""
    return [proof.what for proof in proofs if proof.outcome is Outcome.FAILED]
