# SPDX-License-Identifier: Apache-2.0
"""What a deframer hands out: the input cut into spans without a hole or an overlap."""

from enum import StrEnum
from typing import NamedTuple

from telemetry.wire.space_packet import PrimaryHeader

CRC_DOES_NOT_HOLD = "the CRC does not hold"


class Kind(StrEnum):
    """What the octets of a span are."""

    PACKET = "packet"  # A whole packet of the stream; its CRC verdict stands beside it.
    LOST = "lost"  # A packet was here, but not all of it or not its length: no values.
    OTHER = "other"  # A packet that the stream's rules do not know; walked over.
    IDLE = "idle"  # An idle packet.
    FILL = "fill"  # Zeros where a packet could have begun.
    SKIPPED = "skipped"  # Nothing that could be made sense of.


class Verdict(StrEnum):
    """What the CRC says about a packet."""

    GOOD = "good"
    DAMAGED = "damaged"
    NONE = "none"  # The packet carries no CRC.


class Span(NamedTuple):
    """Octets `offset .. offset + length - 1` of the input."""

    kind: Kind
    offset: int
    length: int
    header: PrimaryHeader | None = None
    data: bytes = b""  # The whole packet, for PACKET only.
    verdict: Verdict = Verdict.NONE
    reason: str = ""  # Why a span is LOST or SKIPPED, or a packet damaged.
