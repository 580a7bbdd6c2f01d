# SPDX-License-Identifier: Apache-2.0
"""A twin that leaps over clocks is, octet for octet, the twin that evaluates each of them.

tests/support/leap_check.cpp runs both side by side through one session and compares all that the
two models keep.
"""

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin_design import twin_design
from fw_tools.board.twin_messages import Direction, LineFaults, Message, RailFault
from fw_tools.board.twin_program import TwinDesign, model_of, plant_limits
from fw_tools.pus.frames import FrameReceiver, encode_frame
from fw_tools.pus.packets import Ack, Telecommand, build_tc, parse_tm
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.verilator import twin_host

SEED = 1
END_MS = 75
LONGEST_PACKET = 1060
EXAMPLES = ("breaker_mini", "compute_node")
PARTED = 4  # What the check ends with when the two differ.

# What stands in hdl/twin/counters.h, and what it becomes.
MUTANTS = {
    "a tick that is one clock late": ("gen_count.count_q", '{{"", 0}}', '{{"", -1}}'),
    "a bit that is not sampled": (
        "u_uart_rx.count_q",
        '{{"Middle", 1}, {"LastCount", 0}}',
        '{{"LastCount", 0}}',
    ),
    "a filter taken for a counter that nothing depends on": (
        "u_uart_rx.count_q",
        '{"u_uart_rx.count_q"',
        '{"u_pg_filter.count_q", {"", 1}, {}}, {"u_uart_rx.count_q"',
    ),
}


@dataclass(frozen=True)
class Run:
    """What the check printed."""

    cycles: int
    leapt: int
    points: int
    packets: Counter[tuple[int, int]]


class Session:
    """A script of messages by the payload's milliseconds."""

    def __init__(self, design: TwinDesign) -> None:
        assert design.link
        self._link = json.loads(design.link.read_text(encoding="utf-8"))
        self._clocks_per_ms = design.clock_hz // 1000
        self._count = 0
        self._lines: list[tuple[int, str]] = []

    def at(self, ms: float, message: Message) -> None:
        cycle = int(ms * self._clocks_per_ms)
        self._lines.append((cycle, f"at {cycle} {message.kind.decode()} {message.octets.hex()}"))

    def command(self, ms: float, service: int, subtype: int, data: bytes = b"") -> None:
        command = Telecommand(
            apid=self._link["apid"],
            sequence_count=self._count,
            service=service,
            subtype=subtype,
            source_id=1,
            ack=Ack.COMPLETION,
            data=data,
        )
        self._count += 1
        self.at(ms, messages.octets(encode_frame(build_tc(command))))

    def stream_housekeeping(self, ms: float) -> None:
        structure = self._link["structure_id"].to_bytes(2, "big")
        self.command(ms, 3, 31, b"\1" + structure + (10).to_bytes(4, "big"))

    def function(self, ms: float, number: int) -> None:
        self.command(ms, 8, 1, number.to_bytes(2, "big"))

    def lines(self) -> list[str]:
        return [line for _, line in sorted(self._lines, key=lambda each: each[0])]


def session(design: TwinDesign) -> list[str]:
    """Exchanges, rails, housekeeping; a fault, a brown-out, a warm reset, noise, no power."""
    chance = random.Random(SEED)
    script = Session(design)
    script.at(0, messages.client(True))
    for begin in (1, 34, 47, 61):
        script.stream_housekeeping(begin)
        script.function(begin + 1, 1)
    for _ in range(60):
        script.command(chance.uniform(1, END_MS), 17, 1)
    script.at(20, messages.rail_fault(1, RailFault.DROP))
    script.at(24, messages.rail_fault(1, RailFault.NONE))
    script.function(25, 3)
    script.function(26, 1)
    script.at(31.5, messages.brown_out(True))
    script.at(32.1, messages.brown_out(False))
    script.function(41, 2)
    script.function(45, 5)
    noise = LineFaults(flip=0.02, drop=0.02, duplicate=0.02, insert=0.02)
    script.at(52, messages.line_faults(Direction.TO_PAYLOAD, SEED, noise))
    script.at(53, messages.line_break(True))
    script.at(53.4, messages.line_break(False))
    script.at(57.3, messages.line_faults(Direction.TO_PAYLOAD, SEED, LineFaults()))
    script.at(59, messages.power(False))
    script.at(60, messages.power(True))
    return script.lines()


class Check:
    """The check of one example, built of the twin's sources or of a copy with a changed line."""

    def __init__(self, repository: Path, example: str) -> None:
        self._repository = repository
        self.design = twin_design(repository / "examples" / example / "payload.toml")

    def run(self, change: tuple[str, str, str] | None = None) -> Run | None:
        """Return what was compared, or None where the two parted."""
        program = self._build(change)
        ended = subprocess.run(
            [program],
            input="\n".join(self._script()),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if ended.returncode == PARTED:
            return None
        assert ended.returncode == 0, ended.stderr
        cycles, leapt, points, octets = ended.stdout.split(" ")
        return Run(int(cycles), int(leapt), int(points), packets(bytes.fromhex(octets)))

    def _script(self) -> Iterator[str]:
        clock_hz = self.design.clock_hz
        yield from (f"seed {SEED}", f"clock {clock_hz}", f"end {clock_hz // 1000 * END_MS}")
        yield from (f"rail {' '.join(map(repr, each))}" for each in plant_limits(self.design))
        yield from session(self.design)

    # Always at the same place, so that the next one finds what it shares with this in the cache.
    def _build(self, change: tuple[str, str, str] | None) -> Path:
        folder = self._repository / "build" / "leap" / self.design.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._repository / "hdl" / "twin", folder / "twin")
        (folder / "twin" / "main.cpp").unlink()
        support = self._repository / "tests" / "support" / "leap_check.cpp"
        shutil.copy2(support, folder / "twin")
        if change:
            _change(folder / "twin" / "counters.h", *change)
        options = BuildOptions(
            work=folder, folder=self.design.sources[0].parent, host=_host(folder / "twin")
        )
        return build(model_of(self.design), options).program


def _host(main: Path) -> Any:
    host = twin_host()
    sources = tuple(sorted(main.rglob("*.cpp")))
    arguments = tuple(word.replace(str(host.main), str(main)) for word in host.arguments)
    return replace(host, main=main, sources=sources, arguments=arguments)


def _change(counters: Path, line: str, part: str, by: str) -> None:
    lines = counters.read_text(encoding="utf-8").splitlines(keepends=True)
    (at,) = (n for n, text in enumerate(lines) if f'{{"{line}"' in text)
    assert part in lines[at]
    lines[at] = lines[at].replace(part, by)
    counters.write_text("".join(lines), encoding="utf-8")


def packets(octets: bytes) -> Counter[tuple[int, int]]:
    """Count the packets of our APID by service and subtype."""
    receiver = FrameReceiver(LONGEST_PACKET)
    sent = messages.Splitter().feed(octets)
    line = b"".join(each.octets for each in sent if each.kind == messages.RECEIVED)
    found = receiver.feed(line)
    return Counter(parse_tm(packet).kind for packet in found if packet[0] & 0x08)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_session_is_the_same_with_and_without_leaps(repository: Path, example: str) -> None:
    run = Check(repository, example).run()
    assert run, f"seed {SEED}: the two part"
    assert run.points > 1000
    assert run.leapt > 0.3 * run.cycles  # Steps are short where octets pass.
    assert run.packets[17, 2] > 30
    assert run.packets[3, 25] >= 4
    assert run.packets[1, 7] > 5
    assert sum(run.packets[5, severity] for severity in (1, 2, 3, 4)) > 3


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_rule_makes_them_part(repository: Path, name: str) -> None:
    assert Check(repository, "breaker_mini").run(MUTANTS[name]) is None
