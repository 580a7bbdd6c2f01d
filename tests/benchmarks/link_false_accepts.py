# SPDX-License-Identifier: Apache-2.0
"""How often a damaged frame of the link passes for another packet, by the kind of damage.

    python tests/benchmarks/link_false_accepts.py [FRAMES] [SEED]

Packets are damaged between their two zeros. Commands go through the payload's receiver and checks
(COBS, length, CRC, APID, form of the command), reports through the client's (COBS, length, CRC,
APID, destination, request ID). What is then accepted and is not the packet that was sent is a false
accept; what comes out as it was sent does not count as damaged. Beside each count stands the bound
below which the rate is with 95 % confidence.
"""

import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from construct import ConstructError
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rows import Case, Measurement

from fw_tools.pus.acceptance import ACCEPTED, judge_frames
from fw_tools.pus.checks import refusal
from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS
from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import LONGEST_TM, Ack
from fw_tools.pus.packets import Telecommand, Telemetry, build_tc, build_tm, crc16, parse_tm

FRAMES = 10_200_000  # Of which 10 million come out damaged.
BATCH = 50_000
POOL = 400  # Different commands.
APID = 66
SOURCE_ID = 0xA55A
WINDOW = 4  # Commands under way.
CONFIDENCE = 0.95

Hits = NDArray[np.int64]


@dataclass
class Tally:
    """What became of damaged frames."""

    frames: Counter[str] = field(default_factory=Counter)  # By kind of damage.
    accepted: Counter[str] = field(default_factory=Counter)  # Falsely.
    seconds: float = 0


class Line:
    """A batch of frames on the line, and the frame that each octet belongs to."""

    def __init__(self, frames: list[bytes], rng: np.random.Generator) -> None:
        self.rng = rng
        self.octets = np.frombuffer(b"".join(frames), np.uint8).copy()
        self.lengths = np.array([len(frame) for frame in frames])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.owners = np.repeat(np.arange(len(frames)), self.lengths)

    def places(self, most: int) -> Hits:
        """Return places between the zeros: 1 to `most` in each frame."""
        rows = np.repeat(
            np.arange(len(self.starts)), self.rng.integers(1, most + 1, len(self.starts))
        )
        return self.starts[rows] + self.rng.integers(1, self.lengths[rows] - 1)

    def repeat(self, counts: NDArray[np.int64]) -> None:
        """Put each octet on the line so many times."""
        self.octets = np.repeat(self.octets, counts)
        self.owners = np.repeat(self.owners, counts)


def flip(line: Line) -> None:
    """1 to 16 bits anywhere in the frame are inverted."""
    places = line.places(16)
    np.bitwise_xor.at(line.octets, places, (1 << line.rng.integers(0, 8, len(places))).astype("u1"))


def garble(line: Line) -> None:
    """A burst: 2 to 8 octets in a row become any others."""
    places = line.places(1)
    for after in range(8):
        rows = line.owners[places]
        here = np.minimum(places + after, line.starts[rows] + line.lengths[rows] - 2)
        is_hit = (after < 2) | (line.rng.random(len(places)) < 0.7)
        line.octets[here[is_hit]] = line.rng.integers(0, 256, int(is_hit.sum()))


def drop(line: Line) -> None:
    """1 to 3 octets are lost."""
    counts = np.ones(len(line.octets), np.int64)
    counts[line.places(3)] = 0
    line.repeat(counts)


def duplicate(line: Line) -> None:
    """1 to 3 octets come twice."""
    counts = np.ones(len(line.octets), np.int64)
    counts[line.places(3)] = 2
    line.repeat(counts)


def insert(line: Line) -> None:
    """1 to 3 octets of noise come in between."""
    counts = np.ones(len(line.octets), np.int64)
    places = np.unique(line.places(3))
    counts[places] = 2
    line.repeat(counts)
    fresh = places + np.arange(len(places))
    line.octets[fresh] = line.rng.integers(0, 256, len(fresh))


def cut(line: Line) -> None:
    """A stretch is lost, of any length."""
    edges = np.zeros(len(line.octets) + 1, np.int64)
    first = line.places(1)
    rows = line.owners[first]
    last = line.rng.integers(first, line.starts[rows] + line.lengths[rows] - 1)
    edges[first] += 1
    edges[last + 1] -= 1
    line.repeat(1 - np.cumsum(edges[:-1]))


def swap(line: Line) -> None:
    """One octet is lost and one comes in: the length stays."""
    drop_at, insert_at = line.places(1), line.places(1)
    counts = np.ones(len(line.octets), np.int64)
    counts[drop_at] -= 1
    counts[insert_at] += 1
    line.repeat(counts)


KINDS: dict[str, Callable[[Line], None]] = {
    each.__name__: each for each in (flip, garble, drop, duplicate, insert, cut, swap)
}


def commands(rng: random.Random) -> list[bytes]:
    """Return packets of every kind, with memory loads of up to 200 octets."""
    return [build_tc(_command(rng)) for _ in range(POOL)]


def _command(rng: random.Random) -> Telecommand:
    content = rng.randbytes(rng.randrange(4, 200))
    area = {"address": rng.randrange(4096), "length": len(content)}
    load = area | {"data": content, "checksum": crc16(content)}
    fields: dict[tuple[int, int], dict[str, object]] = {
        (17, 1): {},
        (3, 27): {"structures": [1]},
        (5, 6): {"events": [1, 2, 3]},
        (6, 2): {"memory_id": 1, "areas": [load]},
        (6, 5): {"memory_id": 1, "areas": [area]},
        (8, 1): {"function_id": rng.randrange(1, 6)},
        (20, 1): {"parameters": [rng.randrange(40) for _ in range(rng.randrange(1, 9))]},
        (20, 3): {"parameters": [{"id": rng.randrange(40), "value": rng.getrandbits(32)}]},
    }
    kind = rng.choice(list(fields))
    return Telecommand(
        apid=APID,
        sequence_count=rng.randrange(1 << 14),
        service=kind[0],
        subtype=kind[1],
        source_id=rng.randrange(1 << 16),
        ack=Ack(rng.randrange(16)),
        data=TELECOMMANDS[kind].build(fields[kind]),
    )


def is_command(packet: bytes) -> bool:
    """Tell whether the payload accepts a whole packet."""
    return refusal(packet, APID) is None


def reports(rng: random.Random) -> list[bytes]:
    """Return the reports that a client waits for: verification and answers."""
    return [build_tm(_report(rng)) for _ in range(POOL)]


def _report(rng: random.Random) -> Telemetry:
    content = rng.randbytes(rng.randrange(4, 200))
    area = {"address": rng.randrange(4096), "length": len(content)}
    request = {"request_id": bytes.fromhex("1842c0") + bytes([rng.randrange(WINDOW)])}
    parameters = [
        {"id": rng.randrange(40), "value": rng.getrandbits(32)} for _ in range(rng.randrange(1, 9))
    ]
    fields: dict[tuple[int, int], dict[str, object]] = {
        (1, 1): request,
        (1, 3): request,
        (1, 7): request,
        (1, 8): request | {"code": 34, "value": rng.getrandbits(32)},
        (6, 6): {"memory_id": 1, "areas": [area | {"data": content, "checksum": crc16(content)}]},
        (17, 2): {},
        (20, 2): {"parameters": parameters},
    }
    kind = rng.choice(list(fields))
    return Telemetry(
        apid=APID,
        sequence_count=rng.randrange(1 << 14),
        service=kind[0],
        subtype=kind[1],
        message_count=rng.randrange(1 << 16),
        destination_id=SOURCE_ID,
        seconds=rng.randrange(1 << 20),
        fraction=rng.randrange(1 << 16),
        data=REPORTS[kind].build(fields[kind]),
    )


def is_report(packet: bytes) -> bool:
    """Tell whether a client that has a window of commands under way takes a report."""
    try:
        report = parse_tm(packet)
        REPORTS[report.kind].parse(report.data)
    except (ValueError, KeyError, ConstructError):
        return False
    if report.apid != APID or report.destination_id != SOURCE_ID:
        return False
    is_known = report.data[:3] == bytes.fromhex("1842c0") and report.data[3] < WINDOW
    return report.service != 1 or is_known


DIRECTIONS = {"command": (commands, is_command), "report": (reports, is_report)}


def measure(direction: str, frames: int, seed: int) -> Tally:
    """Damage that many frames, the kinds in turn, and count what passes."""
    rng = np.random.default_rng(seed)
    make, is_taken = DIRECTIONS[direction]
    pool = make(random.Random(seed))
    encoded = [encode_frame(packet) for packet in pool]
    tally = Tally()
    started = time.monotonic()
    kinds = list(KINDS)
    for number in range(math.ceil(frames / BATCH)):
        chosen = rng.integers(0, POOL, BATCH)
        line = Line([encoded[each] for each in chosen], rng)
        kind = kinds[number % len(kinds)]
        KINDS[kind](line)
        wrong, intact = _accepted(line, [pool[each] for each in chosen], is_taken)
        tally.frames[kind] += BATCH - intact
        tally.accepted[kind] += wrong
    tally.seconds = time.monotonic() - started
    return tally


def _accepted(line: Line, sent: list[bytes], is_taken: Callable[[bytes], bool]) -> tuple[int, int]:
    """Return how many frames pass for another packet, and how many for their own."""
    found = judge_frames(line.octets, LONGEST_TM)
    rows = np.flatnonzero(found.verdicts == ACCEPTED)
    owners = line.owners[found.starts[rows]]
    is_own = [found.packet(row) == sent[owner] for row, owner in zip(rows, owners, strict=True)]
    others = [found.packet(row) for row, own in zip(rows, is_own, strict=True) if not own]
    return sum(map(is_taken, others)), sum(is_own)


def upper_bound(count: int, trials: int) -> float:
    """Return the rate at which so few would be seen in 5 % of runs (Poisson, exact)."""
    low, high = 0.0, 10.0 + 3 * count
    for _ in range(80):
        mean = (low + high) / 2
        seen = sum(
            math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) for n in range(count + 1)
        )
        low, high = (mean, high) if seen > 1 - CONFIDENCE else (low, mean)
    return high / trials


def _case(direction: str) -> Case:
    def measured() -> list[Measurement]:
        tally = measure(direction, FRAMES, 1)
        bound = upper_bound(tally.accepted.total(), tally.frames.total())
        name = f"link/false_accepts_per_damaged_{direction}"
        return [Measurement(case=name, ours=bound, unit="rate", better="lower")]

    return measured


CASES: dict[str, Case] = {
    f"link/false_accepts_per_damaged_{direction}": _case(direction) for direction in DIRECTIONS
}


def main() -> None:
    """Measure and print the tables."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for direction in DIRECTIONS:
        show(direction, measure(direction, frames, seed), seed)


def show(direction: str, tally: Tally, seed: int) -> None:
    """Print one table."""
    table = Table(title=f"Damaged frames that pass for another {direction}; seed {seed}")
    for heading in ("damage", "frames", "passed", "rate", "below (95 %)"):
        table.add_column(heading, justify="left" if heading == "damage" else "right")
    for kind in (*KINDS, "all"):
        n = tally.frames.total() if kind == "all" else tally.frames[kind]
        count = tally.accepted.total() if kind == "all" else tally.accepted[kind]
        table.add_row(
            kind, f"{n:,}", str(count), f"{count / n:.2g}", f"{upper_bound(count, n):.2g}"
        )
    Console(width=100).print(table)
    print(f"{tally.frames.total() / tally.seconds:,.0f} frames/s")


if __name__ == "__main__":
    main()
