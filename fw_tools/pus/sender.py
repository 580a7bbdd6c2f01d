# SPDX-License-Identifier: Apache-2.0
"""Reports on their way to the line: counts, time and frame."""

from collections import Counter
from collections.abc import Callable

from fw_tools.pus.data_fields import TIME_REPORT
from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import (
    CUC_P_FIELD,
    TIME_APID,
    UNITS_PER_SECOND,
    UNSEGMENTED,
)
from fw_tools.pus.packets import (
    CRC_OCTETS,
    MESSAGE_MODULUS,
    PRIMARY_HEADER,
    PRIMARY_OCTETS,
    SEQUENCE_MODULUS,
    Telemetry,
    build_tm,
    data_length,
    with_crc,
)

TIME_UNITS = 1 << 48  # At which the time wraps.


class ReportSender:
    """Builds reports. `now` gives the time in units of 2^-16 s."""

    def __init__(self, apid: int, now: Callable[[], int]) -> None:
        self._apid = apid
        self._now = now
        self._outgoing = bytearray()
        self._sequence_counts: Counter[int] = Counter()  # By APID.
        self._message_counts: Counter[tuple[int, int]] = Counter()

    def send(self, kind: tuple[int, int], data: bytes, destination_id: int) -> None:
        """Send a report of the payload's APID."""
        seconds, fraction = divmod(self._now() % TIME_UNITS, UNITS_PER_SECOND)
        report = Telemetry(
            apid=self._apid,
            sequence_count=self._next_sequence_count(self._apid),
            service=kind[0],
            subtype=kind[1],
            message_count=self._message_counts[kind] % MESSAGE_MODULUS,
            destination_id=destination_id,
            seconds=seconds,
            fraction=fraction,
            data=data,
        )
        self._message_counts[kind] += 1
        self._outgoing += encode_frame(build_tm(report))

    def send_time(self, rate_exponent: int) -> None:
        """Send TM[9,2], which has no secondary header (ECSS-E-ST-70-41C 8.9.2.2)."""
        seconds, fraction = divmod(self._now() % TIME_UNITS, UNITS_PER_SECOND)
        time = {"p_field": CUC_P_FIELD, "seconds": seconds, "fraction": fraction}
        data = TIME_REPORT.build({"rate_exponent": rate_exponent, "time": time})
        header = PRIMARY_HEADER.build(
            {
                "version": 0,
                "is_telecommand": False,
                "has_secondary_header": False,
                "apid": TIME_APID,
                "sequence_flags": UNSEGMENTED,
                "sequence_count": self._next_sequence_count(TIME_APID),
                "data_length": data_length(PRIMARY_OCTETS + len(data) + CRC_OCTETS),
            }
        )
        self._outgoing += encode_frame(with_crc(header + data))

    def taken(self) -> bytes:
        """Return what goes to the line, and forget it."""
        octets = bytes(self._outgoing)
        self._outgoing.clear()
        return octets

    def restart_counts(self) -> None:
        """Count from 0 again, as after a reset."""
        self._sequence_counts.clear()
        self._message_counts.clear()

    def _next_sequence_count(self, apid: int) -> int:
        count = self._sequence_counts[apid] % SEQUENCE_MODULUS
        self._sequence_counts[apid] += 1
        return count
