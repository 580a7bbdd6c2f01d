# SPDX-License-Identifier: Apache-2.0
"""Of several dumps read as one input: which octets are of which, and what became of them."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telemetry.common.text import count, printable

_NAMED = 3  # So many dumps are called by their names.
_SHOWN = 8  # Dumps that are told of one by one.


@dataclass(frozen=True, slots=True)
class DumpShare:
    """What one of several dumps brought."""

    name: str
    start: int  # Of its octets in the input; where there are frames, of what these carry.
    octets: int  # Of the dump, or of what its frames carry.
    rows: int
    lost: Counter[str]  # Octets by account, of those that gave no packet.
    is_framed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it was damaged or no packet, and something came out."""
        return bool(self.rows) and not self.lost.total()


def names_text(names: Sequence[str]) -> str:
    """Return what several dumps are called in messages."""
    if len(names) <= _NAMED:
        return ", ".join(map(printable, names))
    return f"{len(names):,} dumps, {printable(names[0])} to {printable(names[-1])}"


def place_text(place: int, shares: Sequence[DumpShare]) -> str:
    """Return where an octet is: "byte 4,711", of several dumps "byte 711 of b.bin"."""
    if len(shares) < 2 or shares[0].is_framed:  # Places of frames are those in their dump.
        return f"byte {place:,}"
    share = shares[max(bisect_right([share.start for share in shares], place) - 1, 0)]
    return f"byte {place - share.start:,} of {printable(share.name)}"


def share_lines(shares: Sequence[DumpShare]) -> Iterator[str]:
    """Yield a line for each of several dumps that is not whole."""
    hurt = [share for share in shares if not share.is_whole]
    if len(shares) < 2 or not hurt:
        return
    yield f"  Dumps that are not whole, {len(hurt):,} of {len(shares):,}:"
    for share in hurt[:_SHOWN]:
        lost = "".join(f", {octets:,} {kind}" for kind, octets in share.lost.items() if octets)
        of = "bytes in frames" if share.is_framed else "bytes"
        rows = count(share.rows, "row")
        yield f"    {printable(share.name)}: {rows} of {share.octets:,} {of}{lost}"
    if len(hurt) > _SHOWN:
        yield f"    ... and {len(hurt) - _SHOWN:,} more"


def share_records(shares: Sequence[DumpShare]) -> list[dict[str, Any]]:
    """Return the dumps for programs, ready for JSON; `start` is where offsets of each begin."""
    return [
        {
            "name": share.name,
            "start": share.start,
            "bytes": share.octets,
            "rows": share.rows,
            **{kind: share.lost[kind] for kind in ("damaged", "skipped")},
        }
        for share in shares
    ]
