# SPDX-License-Identifier: Apache-2.0
"""The record of a run of hardware tests: which board, which gateware, what was measured.

Modelled on OpenHTF's test record: phases (here tests) with an outcome and measurements, each with
its value, its limits and whether it is within them.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from fw_tools.errors import InputError
from telemetry.common.files import write_atomically

FORMAT = 1


class Outcome(StrEnum):
    """How a test, or a whole run, ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measured value against its limits, of which either may be absent."""

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None
    is_exact: bool = False  # The same on every board with this gateware.

    @property
    def is_within(self) -> bool:
        """Tell whether the limits hold."""
        is_enough = self.least is None or self.value >= self.least
        return is_enough and (self.most is None or self.value <= self.most)

    def limits(self) -> str:
        """Return the limits for people: "1 to 2", "at most 2", "none"."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f"at least {self.least:g}"
        return "none" if self.most is None else f"at most {self.most:g}"


@dataclass(slots=True, kw_only=True)
class TestRecord:
    """One test."""

    __test__ = False  # No test of pytest's, for all its name.

    name: str
    outcome: Outcome = Outcome.PASSED
    seconds: float = 0.0
    reason: str = ""  # Of a failure or a skip.
    measurements: list[Measurement] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardIdentity:
    """What was tested: as the link's description has it, and as the board itself told."""

    name: str
    way: str  # URL, or how the twin was served.
    payload: str
    digest: str  # Of the description.
    rtl_digest: str  # Of the gateware, told by the board; "" where it does not tell.
    build_identity: str  # Of gateware and tools, the same way.
    clock_hz: int
    baud_divisor: int


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """One run."""

    board: BoardIdentity
    tool: str  # Version of fw-tools.
    started: str  # UTC, ISO 8601.
    seconds: float = 0.0
    tests: list[TestRecord] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """Failed when any test did; skipped when none ran."""
        outcomes = {test.outcome for test in self.tests}
        if Outcome.FAILED in outcomes:
            return Outcome.FAILED
        return Outcome.PASSED if Outcome.PASSED in outcomes else Outcome.SKIPPED


def write_record(path: Path, record: RunRecord) -> None:
    """Write a record as JSON."""
    document = {"format": FORMAT, "outcome": record.outcome, **asdict(record)}
    for test, written in zip(record.tests, document["tests"], strict=True):
        for measurement, values in zip(test.measurements, written["measurements"], strict=True):
            values["is_within"] = measurement.is_within
    with write_atomically(path, "w") as stream:
        stream.write(json.dumps(document, indent=2) + "\n")


def load_record(path: Path) -> RunRecord:
    """Read a record. Raises `InputError`."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']}; expected {FORMAT}")
        return RunRecord(
            board=BoardIdentity(**values["board"]),
            tool=values["tool"],
            started=values["started"],
            seconds=values["seconds"],
            tests=[_test(each) for each in values["tests"]],
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: no record of a run: {error}") from None


def _test(values: dict[str, Any]) -> TestRecord:
    measurements = [
        Measurement(**{key: value for key, value in each.items() if key != "is_within"})
        for each in values["measurements"]
    ]
    outcome = Outcome(values["outcome"])
    return TestRecord(**{**values, "outcome": outcome, "measurements": measurements})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One line of a comparison."""

    what: str
    first: str
    second: str
    is_different: bool


def compare_records(first: RunRecord, second: RunRecord) -> Iterator[Compared]:
    """Yield what the two runs have in common, and where they differ.

    They differ in gateware, in a test that passed here and failed there or is in one alone, in a
    measurement that is to be exact, and in one that is within its limits in one alone. A test that
    one of them skipped is no difference.
    """
    for name in ("payload", "digest", "rtl_digest"):
        values = getattr(first.board, name), getattr(second.board, name)
        yield Compared(
            what=name, first=values[0], second=values[1], is_different=values[0] != values[1]
        )
    ours = {test.name: test for test in first.tests}
    theirs = {test.name: test for test in second.tests}
    for name in dict.fromkeys((*ours, *theirs)):
        yield from _compare_tests(name, ours.get(name), theirs.get(name))


def _compare_tests(
    name: str, first: TestRecord | None, second: TestRecord | None
) -> Iterator[Compared]:
    outcomes = [str(test.outcome) if test else "absent" for test in (first, second)]
    is_different = outcomes[0] != outcomes[1] and Outcome.SKIPPED not in outcomes
    yield Compared(what=name, first=outcomes[0], second=outcomes[1], is_different=is_different)
    if first is None or second is None or Outcome.SKIPPED in outcomes:
        return
    theirs = {each.name: each for each in second.measurements}
    for ours in first.measurements:
        if ours.name in theirs:
            yield _compare_values(f"{name}: {ours.name}", ours, theirs[ours.name])


def _compare_values(what: str, first: Measurement, second: Measurement) -> Compared:
    is_different = first.is_within != second.is_within
    if first.is_exact or second.is_exact:
        is_different = is_different or first.value != second.value
    texts = [f"{each.value:g} {each.unit}".strip() for each in (first, second)]
    return Compared(what=what, first=texts[0], second=texts[1], is_different=is_different)
