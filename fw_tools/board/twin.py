# SPDX-License-Identifier: Apache-2.0
"""The Verilator twin of a payload as a board: started, served, disturbed, ended."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin_faults import FaultSchedule
from fw_tools.board.twin_messages import Direction, LineFaults, RailFault
from fw_tools.board.twin_process import ProcessOptions, TwinProcess
from fw_tools.board.twin_program import TwinDesign, build_twin, plant_limits
from fw_tools.board.twin_pty import PtyPort
from fw_tools.board.twin_server import Port, TwinServer
from fw_tools.board.twin_sockets import LOOPBACK, Rfc2217Port, TcpPort
from fw_tools.board.twin_storage import require_storage
from fw_tools.errors import InputError, UsageError
from fw_tools.spec.findings import suggestion

RESET_S = 0.05  # Of wall clock; thousands of clocks at least.
SPEED_WINDOW_S = 0.25
TRACE_S = 0.01  # Of the payload's time.
TRACE_EVENTS = ("octet", "reset", "break", "power")


class PortKind(StrEnum):
    """How a twin is reached."""

    PTY = "pty"
    TCP = "tcp"
    RFC2217 = "rfc2217"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinOptions:
    """How a twin is run."""

    port: PortKind = PortKind.TCP
    number: int = 0  # Of the TCP port; 0 takes a free one.
    bind: str = LOOPBACK
    link: Path | None = None  # Of the pty; None is the stable place of this payload.
    flash: Path | None = None  # None: erased, and forgotten at the end.
    flash_time: float = 1.0
    faults: FaultSchedule | None = None
    trace_on: str = ""
    trace_file: Path = Path("twin.vcd")


class Twin:
    """A running twin: where it listens, and what can be done to it besides talking."""

    def __init__(self, design: TwinDesign, process: TwinProcess, server: TwinServer) -> None:
        self.design = design
        self._process = process
        self._server = server

    @property
    def url(self) -> str:
        """What a client opens, as pyserial takes it."""
        return self._server.port.url

    @property
    def baud(self) -> int:
        """The payload's own baud rate."""
        return self.design.clock_hz // self.design.baud_divisor

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the port."""
        return self._server.port.notes

    def reset(self) -> None:
        """Pulse the reset line: registers start anew, memories keep what they hold."""
        self._process.send(messages.reset(True))
        time.sleep(RESET_S)
        self._process.send(messages.reset(False))

    def set_boot_select(self, is_high: bool) -> None:
        """Drive the boot-select line."""
        self._process.send(messages.boot_select(is_high))

    def set_power(self, is_on: bool) -> None:
        """Cut or restore the supply; the flash keeps what a real one would."""
        self._process.send(messages.power(is_on))

    def power_cycle(self) -> None:
        """Cut the supply and restore it."""
        self.set_power(False)
        self.set_power(True)

    def fail_rail(self, name: str, fault: RailFault) -> None:
        """Let something go wrong with a rail, or nothing any more (`RailFault.NONE`)."""
        self._process.send(messages.rail_fault(rail_number(self.design, name), fault))

    def disturb_line(self, direction: Direction, faults: LineFaults, seed: int = 1) -> None:
        """Set the chances of faults per octet from here on."""
        self._process.send(messages.line_faults(direction, seed, faults))

    def cut_line(self, direction: Direction, is_cut: bool) -> None:
        """Cut a wire of the line, or make it whole."""
        self._process.send(messages.cut(direction, is_cut))

    def upset(self, path: str, bit: int, word: int = 0) -> None:
        """Invert a bit of a register or memory, named as "u_engine.state_q".

        `InputError` for an unknown name.
        """
        self._process.ask(messages.upset(path, word, bit, is_asked=True))

    def stick_flash_bit(self, address: int, bit: int, value: int) -> None:
        """Have a bit of the flash be 0 or 1 from now on, whatever is erased or programmed."""
        self._process.send(messages.stuck(address, bit, value))

    def statistics(self) -> dict[str, Any]:
        """Return the twin's counters: cycles, resets, octets, faults that hit, flash operations."""
        return self._process.statistics()

    def cycles_per_second(self, window_s: float = SPEED_WINDOW_S) -> float:
        """Return how fast it runs, measured now: cycles per second of its own running."""
        before = self.statistics()
        time.sleep(window_s)
        after = self.statistics()
        cycles: int = after["cycles"] - before["cycles"]
        run_ns: int = after["run_ns"] - before["run_ns"]
        return cycles / max(run_ns * 1e-9, 1e-9)

    def wait(self) -> None:
        """Wait until the twin ends by itself; raises why it did."""
        self._server.is_ended.wait()
        raise self._process.failure()


@contextmanager
def running_twin(
    design: TwinDesign, options: TwinOptions, say: Callable[[str], None] = lambda _: None
) -> Iterator[Twin]:
    """Build (or fetch) and start a twin; end it, its port and its files afterwards.

    `say` gets lines for the user, the first when the twin has to be built.

    Raises:
        BuildError: the gateware does not build.
        InputError: port, flash file or fault schedule cannot be used.
        MissingToolError: what builds a simulation is absent.
    """
    trace = _trace(design, options)
    with tempfile.TemporaryDirectory(prefix="fw-twin-") as folder:
        program = build_twin(design, Path(folder), say, has_waves=trace is not None)
        if options.faults:
            require_storage(options.faults, program)
        port = _port(design, options)
        process = TwinProcess(
            ProcessOptions(
                program=program,
                clock_hz=design.clock_hz,
                baud_divisor=design.baud_divisor,
                rails=tuple(plant_limits(design)),
                flash=options.flash,
                flash_time=options.flash_time,
                seed=options.faults.seed if options.faults else 1,
                trace=trace,
            ),
            on_event=say,
        )
        server = TwinServer(process, port, say)
        try:
            server.start()
            process.statistics()  # It runs, or says why it does not.
            for message in options.faults.messages if options.faults else ():
                process.send(message)
            yield Twin(design, process, server)
        finally:
            server.stop()
            process.end()


def stable_link(name: str) -> Path:
    """Return where the pty of the payload `name` is linked, the same in every run."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "fw-tools" if base else Path(f"/tmp/fw-tools-{os.getuid()}")  # noqa: S108
    return folder / name


def rail_number(design: TwinDesign, name: str) -> int:
    """Return a rail's number; `InputError` when there is none of that name."""
    names = [rail.name for rail in design.rails]
    if name not in names:
        raise InputError(f"no rail {name!r}; {suggestion(name, names)}")
    return names.index(name)


def _port(design: TwinDesign, options: TwinOptions) -> Port:
    if options.port is PortKind.PTY:
        link = options.link or stable_link(design.name)
        return PtyPort(link, design.clock_hz // design.baud_divisor)
    kind = TcpPort if options.port is PortKind.TCP else Rfc2217Port
    return kind(options.bind, options.number)


def _trace(design: TwinDesign, options: TwinOptions) -> tuple[str, Path, int] | None:
    event = options.trace_on
    if not event:
        return None
    if event.startswith("rail:"):
        try:
            event = f"rail:{rail_number(design, event.removeprefix('rail:'))}"
        except InputError as error:
            raise UsageError(f"--trace-on {event}: {error}") from None
    elif event not in TRACE_EVENTS:
        known = (*TRACE_EVENTS, "rail:NAME")
        raise UsageError(f"--trace-on {event!r}: unknown event; {suggestion(event, known)}")
    return event, options.trace_file.absolute(), int(design.clock_hz * TRACE_S)
