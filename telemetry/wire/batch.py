# SPDX-License-Identifier: Apache-2.0
"""Many packets at once: where each lies in one array of octets."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.spans import Verdict

Octets: TypeAlias = NDArray[np.uint8]
Indices: TypeAlias = NDArray[np.int64]


class VerdictCode(IntEnum):
    """`Verdict` as a number, for arrays."""

    NONE = 0
    GOOD = 1
    DAMAGED = 2

    @property
    def verdict(self) -> Verdict:
        """The verdict that rows carry."""
        return Verdict(self.name.lower())


@dataclass(frozen=True, slots=True)
class PacketBatch:
    """Packets in order of their place; they may have gaps between them, and never overlap."""

    octets: Octets  # One dimension, contiguous.
    starts: Indices  # First octet of each primary header, as an index into `octets`.
    lengths: Indices  # Octets of each whole packet, header included.
    offset: int  # Of octets[0] in the stream.
    verdicts: Octets  # `VerdictCode` of each packet.

    def __len__(self) -> int:
        return len(self.starts)

    def packet(self, index: int) -> bytes:
        """Return the octets of one whole packet."""
        start = int(self.starts[index])
        return self.octets[start : start + int(self.lengths[index])].tobytes()
