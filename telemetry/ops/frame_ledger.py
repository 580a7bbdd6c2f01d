# SPDX-License-Identifier: Apache-2.0
"""The ledger of the frame floor: every octet of the input stands in it exactly once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from telemetry.ops.accounts import Reason
from telemetry.wire.framing.frame import Frame, FrameKind


class FrameAccount(StrEnum):
    """Where octets are booked."""

    PAYLOAD = "payload"  # What whole frames carry: the input of the packet floor.
    OVERHEAD = "overhead"  # Delimiters, escapes, lengths and prefixes of whole frames.
    DAMAGED = "damaged"  # Frames that are not whole.
    CONTROL = "control"  # Time stamps, and commands to a modem.
    DELIMITERS = "delimiters"  # Delimiters with no frame before them.
    JUNK = "junk"  # No frame.


_WHOLE_RECORDS = {
    FrameKind.DAMAGED: FrameAccount.DAMAGED,
    FrameKind.CONTROL: FrameAccount.CONTROL,
    FrameKind.DELIMITER: FrameAccount.DELIMITERS,
    FrameKind.JUNK: FrameAccount.JUNK,
}


@dataclass(slots=True)
class FrameLedger:
    """Octets and records by account. The list of damages is capped, the counts are not."""

    octets: Counter[FrameAccount] = field(default_factory=Counter)
    records: Counter[FrameKind] = field(default_factory=Counter)
    reasons: dict[str, Reason] = field(default_factory=dict)
    damages: list[Frame] = field(default_factory=list)  # DAMAGED and JUNK, without their data.
    max_damages: int = 1000
    _last_end: int = 0

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Book each record and hand it on."""
        for frame in frames:
            self.add(frame)
            yield frame

    def add(self, frame: Frame) -> None:
        """Book a record; it must begin where the one before ended."""
        if frame.offset != self._last_end or frame.length < 1:
            raise AssertionError(
                f"frame at {frame.offset}, but the one before ended at {self._last_end}"
            )
        self._last_end += frame.length
        self.records[frame.kind] += 1
        account = _WHOLE_RECORDS.get(frame.kind)
        if account is None:
            self.octets[FrameAccount.PAYLOAD] += len(frame.data)
            self.octets[FrameAccount.OVERHEAD] += frame.length - len(frame.data)
            return
        self.octets[account] += frame.length
        if frame.reason:
            self._add_damage(frame)

    def _add_damage(self, frame: Frame) -> None:
        if len(self.damages) < self.max_damages:
            self.damages.append(frame._replace(data=b""))
        if frame.reason in self.reasons or len(self.reasons) < self.max_damages:
            known = self.reasons.setdefault(frame.reason, Reason(frame.offset))
            known.count += 1
            known.octets += frame.length

    def close(self, input_octets: int) -> None:
        """Assert that the accounts hold every octet of the input."""
        booked = sum(self.octets.values())
        if booked != input_octets:
            raise AssertionError(f"the frame ledger holds {booked} octets of {input_octets}")

    @property
    def octets_lost(self) -> int:
        """Octets in damaged frames, or in none."""
        return self.octets[FrameAccount.DAMAGED] + self.octets[FrameAccount.JUNK]

    @property
    def is_clean(self) -> bool:
        """Whether every frame was whole and nothing lay between them."""
        return not (self.octets[FrameAccount.DAMAGED] or self.octets[FrameAccount.JUNK])
