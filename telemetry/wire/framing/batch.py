# SPDX-License-Identifier: Apache-2.0
"""Frames as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.framing.frame import Frame, FrameKind

NO_TIME: Final = np.iinfo(np.int64).min  # As NaT of datetime64.
_CARRIERS = (FrameKind.FRAME, FrameKind.DAMAGED, FrameKind.JUNK)


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """The payloads of n frames, one behind the other, and where they came from."""

    octets: NDArray[np.uint8]
    starts: NDArray[np.int64]  # First octet of each payload in `octets`.
    lengths: NDArray[np.int64]  # Octets of each payload.
    offsets: NDArray[np.int64]  # First octet of each frame in the input.
    extents: NDArray[np.int64]  # Octets of each frame in the input.
    is_whole: NDArray[np.bool_]  # False: DAMAGED or JUNK; a packet in it must prove itself.
    ports: NDArray[np.uint8]
    times_ns: NDArray[np.int64]  # ns since 1970-01-01 UTC (POSIX), or NO_TIME.

    def __len__(self) -> int:
        return len(self.starts)

    def frame_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the index of the frame that each of these places in `octets` lies in."""
        return np.searchsorted(self.starts, places, side="right") - 1


def batch_frames(frames: Iterable[Frame]) -> FrameBatch:
    """Collect the frames that carry something; others are left out."""
    carriers = [frame for frame in frames if frame.kind in _CARRIERS and frame.data]
    payloads = [frame.data for frame in carriers]
    lengths = np.array([len(payload) for payload in payloads], np.int64)
    times = [NO_TIME if frame.time_ns is None else frame.time_ns for frame in carriers]
    return FrameBatch(
        octets=np.frombuffer(b"".join(payloads), np.uint8),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        offsets=np.array([frame.offset for frame in carriers], np.int64),
        extents=np.array([frame.length for frame in carriers], np.int64),
        is_whole=np.array([frame.kind is FrameKind.FRAME for frame in carriers], np.bool_),
        ports=np.array([frame.port for frame in carriers], np.uint8),
        times_ns=np.array(times, np.int64),
    )
