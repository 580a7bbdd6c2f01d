# SPDX-License-Identifier: Apache-2.0
"""Tests of hardware with pytest: the same on a board and on its Verilator twin.

    pytest --board twin:payload.toml
    pytest --board board.toml --port /dev/ttyUSB0

A test takes `client` (a `PayloadClient`), `probe` (raw packets), `reset`, `power` or `bench`, and
`measure` to put a value with its limits into the record of the run. What it needs of board or
bench is a mark: `@pytest.mark.needs("reset", "TC[6,5]")`; it is skipped by name where that is
missing.
"""

import datetime
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from telemetry.common.errors import ReportedError

if TYPE_CHECKING:
    from fw_tools.board.bench import Bench
    from fw_tools.board.client import PayloadClient
    from fw_tools.board.probe import Probe
    from fw_tools.board.records import BoardIdentity, RunRecord, TestRecord

RECORD = "board-record.json"
NEEDS = "needs(*capabilities): what board and bench must have; skipped by name where it is missing"


class BoardRun:
    """What is known of the run so far; the record begins when the board is opened."""

    def __init__(self) -> None:
        self.record: RunRecord | None = None
        self.failure: ReportedError | None = None  # Why the board could not be opened.
        self.started = 0.0
        self.tests: dict[str, TestRecord] = {}

    def begin(self, bench: "Bench") -> None:
        """Note the board."""
        from importlib.metadata import version

        from fw_tools.board.records import RunRecord

        now = datetime.datetime.now(datetime.UTC)
        self.started = time.monotonic()
        self.record = RunRecord(
            board=board_identity(bench),
            tool=version("fw-tools"),
            started=now.isoformat(timespec="seconds"),
        )

    def test(self, name: str) -> "TestRecord":
        """Return the record of a test."""
        from fw_tools.board.records import TestRecord

        return self.tests.setdefault(name, TestRecord(name=name))

    def write(self, path: Path) -> None:
        """Write what there is."""
        from fw_tools.board.records import write_record

        assert self.record is not None
        self.record.seconds = time.monotonic() - self.started
        self.record.tests = list(self.tests.values())
        write_record(path, self.record)


Measure = Callable[..., None]
RUN = pytest.StashKey[BoardRun]()


def board_identity(bench: "Bench") -> "BoardIdentity":
    """Return what the board is, and what it tells of its own gateware."""
    from fw_tools.board.records import BoardIdentity

    description = bench.client.description
    known = {each.name for each in description.parameters}

    def told(name: str) -> str:
        parts = [f"{name}_{number}" for number in range(4)]
        if not known.issuperset(parts):
            return ""
        values = bench.client.get_many(parts)
        return "".join(f"{values[part]:04x}" for part in parts)

    return BoardIdentity(
        name=bench.name,
        way=bench.way,
        payload=description.payload,
        digest=description.digest,
        rtl_digest=told("rtl_digest"),
        build_identity=told("build_identity"),
        clock_hz=description.clock_hz,
        baud_divisor=description.baud_divisor,
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say which board."""
    group = parser.getgroup("board", "tests of hardware (fw-tools)")
    group.addoption(
        "--board",
        default="twin",
        metavar="twin[:SPEC]|NAME|PATH",
        help="the Verilator twin of payload.toml here or of SPEC (default), a board by name, a "
        "board.toml, or a link.json with --port",
    )
    group.addoption("--port", metavar="URL", help="port of the board, as pyserial takes it")
    group.addoption("--serial", metavar="NUMBER", help="serial number of the board's USB port")
    group.addoption(
        "--via",
        default="tcp",
        choices=("tcp", "pty", "rfc2217"),
        help="how a twin that is started is served",
    )
    group.addoption("--record", default=RECORD, metavar="FILE", help="record of the run, JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", NEEDS)
    config.stash[RUN] = BoardRun()


@pytest.fixture(scope="session")
def board_session(request: pytest.FixtureRequest) -> "Iterator[Bench]":
    """Open the board once for the whole run; where it cannot be opened the run ends."""
    from fw_tools.board.bench import open_bench

    options = request.config.option
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(line, file=sys.stderr)  # noqa: T201 (to the user, not into a report)

    try:
        opened = open_bench(
            options.board, options.port, serial=options.serial, way=options.via, say=say
        )
        bench = opened.__enter__()
        request.config.stash[RUN].begin(bench)
    except ReportedError as error:
        request.config.stash[RUN].failure = error
        pytest.exit(str(error), returncode=error.exit_code)
    try:
        yield bench
    finally:
        # Ctrl-C reaches the board, too: a supply that was switched on goes off.
        is_interrupted = request.session.exitstatus == pytest.ExitCode.INTERRUPTED
        opened.__exit__(KeyboardInterrupt if is_interrupted else None, None, None)


@pytest.fixture
def bench(request: pytest.FixtureRequest, board_session: "Bench") -> "Bench":
    """Return the board with what this bench can do to it; skip what it cannot."""
    wanted = [each for mark in request.node.iter_markers("needs") for each in mark.args]
    if missing := board_session.missing(tuple(wanted)):
        pytest.skip(f"{board_session.name}: no {', '.join(missing)}")
    return board_session


@pytest.fixture
def client(bench: "Bench") -> "PayloadClient":
    """Return the open client of the payload."""
    return bench.client


@pytest.fixture
def probe(bench: "Bench") -> "Probe":
    """Return what sends raw packets and octets."""
    return bench.probe


@pytest.fixture
def reset(bench: "Bench") -> Callable[[], None]:
    """Return what pulses the reset line and waits for the payload. Mark: needs("reset")."""
    return bench.reset


@pytest.fixture
def power(bench: "Bench") -> Callable[[bool], None]:
    """Return what switches the supply off (False) and on (True). Mark: needs("power")."""
    return bench.set_power


@pytest.fixture
def measure(request: pytest.FixtureRequest, bench: "Bench") -> Measure:  # noqa: ARG001
    """Return `measure(name, value, unit="", least=None, most=None, is_exact=False)`.

    The value goes into the record; outside of its limits the test fails.
    """
    from fw_tools.board.records import Measurement

    record = request.config.stash[RUN].test(request.node.name)

    def measured(name: str, value: float, unit: str = "", **limits: Any) -> None:
        found = Measurement(name=name, value=value, unit=unit, **limits)
        record.measurements.append(found)
        __tracebackhide__ = True
        if not found.is_within:
            pytest.fail(f"{name}: {value:g} {unit}; limits: {found.limits()}")

    return measured


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how each test that used the board ended."""
    report = yield
    if "board_session" in getattr(item, "fixturenames", ()):
        _note(item.config.stash[RUN].test(item.name), report, call)
    return report


def _note(record: "TestRecord", report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    from fw_tools.board.records import Outcome

    record.seconds += report.duration
    if report.passed:
        return
    record.outcome = Outcome.SKIPPED if report.skipped else Outcome.FAILED
    if call.excinfo is not None:
        record.reason = str(call.excinfo.value)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record, where a board was opened."""
    run = session.config.stash[RUN]
    if run.record is not None:
        run.write(_record_path(session.config))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was tested and where the record is."""
    run = config.stash[RUN]
    if run.record is not None:
        board = run.record.board
        terminalreporter.write_line(
            f"board: {board.name} over {board.way}, gateware {board.rtl_digest or 'unknown'}"
        )
        terminalreporter.write_line(f"record: {_record_path(config)}")


def _record_path(config: pytest.Config) -> Path:
    """Return where the record goes; each worker of pytest-xdist has a board and a record."""
    path = Path(config.option.record)
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    return path.with_name(f"{path.stem}-{worker}{path.suffix}") if worker else path
