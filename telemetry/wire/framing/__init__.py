# SPDX-License-Identifier: Apache-2.0
"""Framings: how packets are wrapped in a stream. By name, `framing` unwraps and `wrapping` wraps.

| name | frames |
|---|---|
| `none` | none: the stream is packets, one behind the other |
| `kiss` | KISS, with the time stamps of gr-satellites |
| `slip` | SLIP, RFC 1055 |
| `cobs` | COBS, a zero behind each frame |
| `length:2be` | a length of 1, 2 or 4 octets (`be`, `le`) before each frame; |
| `length:2be:inclusive` | the same, and the length counts itself |
| `fixed:70` | frames of one size |
"""

import difflib
from collections.abc import Callable

from telemetry.errors import UsageError
from telemetry.wire.framing.batch import NO_TIME, FrameBatch, batch_frames
from telemetry.wire.framing.cobs import CobsFraming, encode_cobs
from telemetry.wire.framing.frame import MAX_FRAME_OCTETS, Frame, FrameKind, Framing
from telemetry.wire.framing.kiss import KissFraming, encode_kiss, encode_kiss_time
from telemetry.wire.framing.names import read_fixed, read_length
from telemetry.wire.framing.prefixed import LengthField, LengthFraming, SkipFraming
from telemetry.wire.framing.records import RecordFraming, SkipInFrames
from telemetry.wire.framing.slip import SlipFraming, encode_slip
from telemetry.wire.framing.wrapping import wrapping
from telemetry.wire.rules import StreamRules

__all__ = [
    "FRAMING_NAMES",
    "MAX_FRAME_OCTETS",
    "NO_TIME",
    "CobsFraming",
    "Frame",
    "FrameBatch",
    "FrameKind",
    "Framing",
    "KissFraming",
    "LengthField",
    "LengthFraming",
    "RecordFraming",
    "SkipFraming",
    "SkipInFrames",
    "SlipFraming",
    "batch_frames",
    "encode_cobs",
    "encode_kiss",
    "encode_kiss_time",
    "encode_slip",
    "framing",
    "wrapping",
]

FRAMING_NAMES = ("none", "kiss", "slip", "cobs", "length:2be", "fixed:N")  # For help texts.
_DELIMITED: dict[str, Callable[[int], Framing]] = {
    "kiss": KissFraming,
    "slip": SlipFraming,
    "cobs": CobsFraming,
}


def framing(
    name: str,
    *,
    skip: int = 0,
    has_primary_header: bool = True,
    rules: StreamRules | None = None,
    max_octets: int = MAX_FRAME_OCTETS,
) -> Framing | None:
    """Return a fresh framing, or None where the stream itself is packets without a gap.

    `skip` octets before each packet are left out: of each payload, or, with `none`, of the stream.
    Without a primary header (`has_primary_header`) each payload is one packet data field; with
    `none` its size must then be known: see `fixed:N`. `rules` say what the packets may look like;
    where lengths chain the frames together they help to find the next one after damage.
    `max_octets` bounds a payload, and memory. `UsageError` says what would be right.
    """
    if skip < 0:
        raise UsageError(f"--skip {skip}: expected a number of octets, 0 or more")
    if name == "none":
        return _unframed(skip, has_primary_header, rules)
    if kind := _DELIMITED.get(name):
        plain = kind(max_octets)
        return SkipInFrames(plain, skip) if skip else plain
    if (field := read_length(name)) is not None:
        return LengthFraming(
            field,
            holds_packets=has_primary_header,
            skip=skip,
            rules=rules,
            max_octets=max_octets,
        )
    if (octets := read_fixed(name)) is not None:
        return RecordFraming(octets, skip)
    raise UsageError(_unknown(name))


def _unframed(skip: int, has_primary_header: bool, rules: StreamRules | None) -> Framing | None:
    if has_primary_header:
        return SkipFraming(skip, rules=rules) if skip else None
    raise UsageError(
        "--no-primary-header: nothing says where a packet ends; give the size of each with "
        "--framing fixed:N, or the framing that wraps them"
    )


def _unknown(name: str) -> str:
    if name.startswith("length"):
        return (
            f"--framing {name}: expected length:1, length:2be, length:4le or the like; "
            "add :inclusive if the length counts itself"
        )
    if name.startswith("fixed"):
        return f"--framing {name}: expected fixed:N, with N octets in each frame"
    near = difflib.get_close_matches(name, ["none", *_DELIMITED], n=1)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(FRAMING_NAMES)}"
    return f"--framing {name}: no such framing; {hint}"
