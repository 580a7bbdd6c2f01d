# SPDX-License-Identifier: Apache-2.0
"""What arrives of octets on a line that is not perfect: seeded, and by the place of each octet.

The draws are those of a twin's line (hdl/twin/parts/line.cpp): the same seed and the same octets
give the same faults there and here, in whatever pieces the octets come.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fw_tools.board.twin_messages import Direction, LineFaults

_MASK = (1 << 64) - 1
_STREAMS = {Direction.TO_PAYLOAD: ord("t"), Direction.FROM_PAYLOAD: ord("f")}
_UNIT = 2.0**-53


@dataclass(slots=True)
class LineCounts:
    """What was done to the octets of one direction."""

    octets: int = 0  # That came in.
    passed: int = 0  # That went out.
    flips: int = 0
    drops: int = 0
    duplicates: int = 0
    inserts: int = 0
    stalls: int = 0
    cut: int = 0  # Lost while the wire was cut.


@dataclass(frozen=True, slots=True)
class Passed:
    """Octets that go out together after a pause."""

    pause_s: float
    octets: bytes


class DisturbedLine:
    """One direction of a line. `is_cut` may change between any two octets."""

    def __init__(self, direction: Direction, seed: int, faults: LineFaults) -> None:
        stream = _STREAMS[direction]
        self.counts = LineCounts()
        self.is_cut = False
        self._faults = faults
        self._bits_key = scramble(seed ^ scramble(stream))
        # Kind of fault -> its chance of 2^53, and the key of its draws; those that never happen
        # are left out.
        self._chances = {
            name: (chance / _UNIT, scramble(seed ^ scramble(stream << 8 | ord(letter))))
            for name, letter, chance in (
                ("stall", "s", faults.stall),
                ("insert", "i", faults.insert),
                ("drop", "d", faults.drop),
                ("flip", "f", faults.flip),
                ("duplicate", "u", faults.duplicate),
            )
            if chance > 0
        }

    def feed(self, octets: bytes) -> Iterator[Passed]:
        """Yield what goes out of `octets`; a new piece begins with each stall.

        Octets are passed as they are asked for: a cut between two pieces loses the later one.
        """
        out, pause_s = bytearray(), 0.0
        for octet in octets:
            arrived, stall_s = self._pass(octet)
            if stall_s:
                if out or pause_s:
                    yield self._count(Passed(pause_s, bytes(out)))
                out, pause_s = bytearray(), stall_s
            out += arrived
        if out or pause_s:
            yield self._count(Passed(pause_s, bytes(out)))

    def _count(self, passed: Passed) -> Passed:
        self.counts.passed += len(passed.octets)
        return passed

    def _pass(self, octet: int) -> tuple[bytes, float]:
        """Return what arrives of one octet, and the pause before it."""
        counts = self.counts
        counts.octets += 1
        if self.is_cut:
            counts.cut += 1
            return b"", 0.0
        if not self._chances:
            return bytes((octet,)), 0.0
        hits = [name for name, draw in self._chances.items() if self._happens(*draw)]
        if not hits:
            return bytes((octet,)), 0.0
        return self._damage(octet, hits)

    def _happens(self, chance: float, key: int) -> bool:
        return scramble(key ^ self.counts.octets) >> 11 < chance

    def _damage(self, octet: int, hits: list[str]) -> tuple[bytes, float]:
        counts, bits = self.counts, scramble(self._bits_key ^ ~self.counts.octets & _MASK)
        pause_s, before = 0.0, b""
        if "stall" in hits:
            counts.stalls += 1
            pause_s = self._faults.stall_s
        if "insert" in hits:
            counts.inserts += 1
            before = bytes((bits >> 8 & 0xFF,))
        if "drop" in hits:
            counts.drops += 1
            return before, pause_s
        if "flip" in hits:
            counts.flips += 1
            octet ^= 1 << (bits & 7)
        if "duplicate" in hits:
            counts.duplicates += 1
            return before + bytes((octet, octet)), pause_s
        return before + bytes((octet,)), pause_s


def scramble(value: int) -> int:
    """Return SplitMix64 of 64 bits (Steele, Lea, Flood 2014)."""
    value = value + 0x9E3779B97F4A7C15 & _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31
