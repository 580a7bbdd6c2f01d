# SPDX-License-Identifier: Apache-2.0
"""cocotb's results file and log, as test records."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from fw_tools.report.records import Status, TestRecord

TAIL_LINES = 8  # Of the log, shown where a simulation died.

_REGRESSION = (
    r"[A-Z]+ +cocotb\.regression +(?:\S.* )?"  # Whatever else is logged is not about tests.
)
_STARTED = re.compile(_REGRESSION + r"running (?P<test>\S+) \(\d+/\d+\)")
_ENDED = re.compile(_REGRESSION + r"(?P<test>\S+) (?P<how>passed|failed)\s*$")
_NO_TESTS = re.compile(r"^RuntimeError: No tests were discovered in any module: (.*)", re.MULTILINE)
_EMPTY_MODULE = re.compile(r"UserWarning: No tests were discovered in module: (\S+)")
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_RAISED = re.compile(r"^(?P<what>[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)\b.*)$")
_NOT_THE_BENCH = ("/site-packages/", "/lib/python3", "<frozen", "<string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the records of one run have in common."""

    bench: str
    seed: int
    log: str


def read(source: Source, path: Path) -> tuple[TestRecord, ...] | None:
    """Return a record per test in cocotb's results file, or None when it is absent or cut short."""
    try:
        root = ET.parse(path).getroot()  # noqa: S314 (written by cocotb a moment ago)
    except (OSError, ET.ParseError):
        return None
    return tuple(_record(source, case) for case in root.iter("testcase"))


def error(source: Source, message: str, seconds: float, test: str = "(run)") -> TestRecord:
    """Return the record of something that could not run or did not end well."""
    return TestRecord(
        bench=source.bench,
        test=test,
        status=Status.ERROR,
        seconds=seconds,
        message=message,
        seed=source.seed,
        log=source.log,
    )


def unfinished(source: Source, log: str, reason: str, seconds: float) -> tuple[TestRecord, ...]:
    """Return what the log of a run without results tells: which tests ended, which one did not.

    A bench that died at import is named with the exception; anything else with the last lines.
    """
    if none := _NO_TESTS.search(log):
        return tuple(_no_test(source, name, seconds) for name in re.findall("'(.+?)'", none[1]))
    if broken := _import_failure(log):
        return (error(source, broken, seconds, test="(import)"),)
    done = {match["test"]: match["how"] for match in map(_ENDED.search, log.splitlines()) if match}
    started = [match["test"] for match in map(_STARTED.search, log.splitlines()) if match]
    culprit = started[-1] if started and started[-1] not in done else "(run)"
    tail = "\n".join(log.splitlines()[-TAIL_LINES:])
    message = f"{reason}; the last lines of its log:\n{tail}" if tail else reason
    ended = (_logged(source, test, how) for test, how in done.items())
    return (*ended, error(source, message, seconds, test=culprit))


def empty_modules(source: Source, log: str) -> tuple[TestRecord, ...]:
    """Return an ERROR record per test module in which cocotb found no test."""
    return tuple(_no_test(source, name, 0.0) for name in _EMPTY_MODULE.findall(log))


def _no_test(source: Source, module: str, seconds: float) -> TestRecord:
    message = f"no test in module {module}; is there a @cocotb.test()?"
    return error(source, message, seconds, test="(import)")


def _logged(source: Source, test: str, how: str) -> TestRecord:
    status = Status.PASSED if how == "passed" else Status.FAILED
    message = "" if how == "passed" else "failed before the simulation died; see the log"
    return TestRecord(
        bench=source.bench,
        test=test,
        status=status,
        seconds=0.0,
        message=message,
        seed=source.seed,
        log=source.log,
    )


def _record(source: Source, case: ET.Element) -> TestRecord:
    properties = {item.get("name"): item.get("value", "") for item in case.iter("property")}
    status, message = _outcome(case)
    place = f"{properties['file']}:{properties.get('line', '')}" if "file" in properties else ""
    return TestRecord(
        bench=source.bench,
        test=f"{case.get('classname', '')}.{case.get('name', '')}".strip("."),
        status=status,
        seconds=float(case.get("time", 0.0)),
        sim_ns=float(properties.get("sim_time_duration", 0.0)),
        message=message,
        location=place,
        seed=source.seed,
        log=source.log,
    )


def _outcome(case: ET.Element) -> tuple[Status, str]:
    for tag, status in (("failure", Status.FAILED), ("error", Status.ERROR)):
        if (found := case.find(tag)) is not None:
            return status, _failure(found)
    if (skipped := case.find("skipped")) is not None:
        return Status.SKIPPED, skipped.get("message", "")
    return Status.PASSED, ""


def _failure(element: ET.Element) -> str:
    kind = element.get("type", "")
    text = element.get("message", "")
    place = _place_in_bench((element.text or "").splitlines())
    return ": ".join(part for part in (place, kind, text) if part)


def _import_failure(log: str) -> str:
    """Return what stopped the import of the bench, with its place, or "" when it was imported."""
    lines = log.splitlines()
    if any(_STARTED.search(line) for line in lines):
        return ""
    raised = [match["what"] for match in map(_RAISED.match, map(_bare, lines)) if match]
    if not raised:
        return ""
    place = _place_in_bench(lines)
    return f"cannot be imported: {f'{place}: ' if place else ''}{raised[-1]}"


def _bare(line: str) -> str:
    return line.strip()


def _place_in_bench(traceback: Iterable[str]) -> str:
    """Return file:line of the innermost frame that is neither cocotb nor the standard library."""
    frames = [match for match in map(_FRAME.search, traceback) if match]
    own = [match for match in frames if not any(part in match["file"] for part in _NOT_THE_BENCH)]
    return f"{own[-1]['file']}:{own[-1]['line']}" if own else ""
