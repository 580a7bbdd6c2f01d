# SPDX-License-Identifier: Apache-2.0
"""A client of a payload: its registers, memories, events and functions by name."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import TracebackType
from typing import Any

from fw_tools.board.description import LinkDescription, MemoryDescription, ParameterDescription
from fw_tools.board.exchange import Exchange, ExchangeOptions, Request
from fw_tools.board.link import Link
from fw_tools.board.reports import Event, Housekeeping, read_event, read_event_log
from fw_tools.board.transport import open_transport
from fw_tools.board.values import WORD_MAX, field_value, require_word, with_field
from fw_tools.errors import UsageError
from fw_tools.pus.data_fields import REPORTS
from fw_tools.pus.identifiers import (
    CUC_P_FIELD,
    LONGEST_AREA,
    MOST_PARAMETERS,
    UNITS_PER_SECOND,
    MemoryId,
)
from fw_tools.pus.packets import Telemetry, crc16

ClientOptions = ExchangeOptions
SUM_PATIENCE_S = 100e-6  # For each octet that the payload sums up; a board takes about 2 us.
ERASE_PATIENCE_S = 10.0  # A block takes up to 2 s, and a twin may be slower than its clock.
FLASH_WINDOW = 3  # Longest commands that a payload keeps while its flash is busy.
SHORT_LENGTH_MAX = 0xFFFF  # Of an area, but in the commands whose lengths have 32 bits.
LAST_TIME_S = 2**32 - 1 / UNITS_PER_SECOND
INTERVAL_MAX_S = WORD_MAX // 1000
LONG_AREAS = ((6, 128), (6, 129))
Progress = Callable[[int], None]  # Octets done so far.

_EVENT_LOG = MemoryDescription(
    name="event log", id=MemoryId.EVENT_LOG, octets=768, word_octets=4, is_writable=False
)


@dataclass(frozen=True, slots=True)
class Ping:
    """The answer to a ping."""

    round_trip_s: float
    payload_time_s: float


class PayloadClient:
    """Synchronous; every call returns or raises `LinkError` in time. Use it in a `with` block.

    What the payload refuses is a `CommandFailedError`; a name that it has not is a `UsageError`.
    """

    def __init__(
        self, link: Link, description: LinkDescription, options: ClientOptions | None = None
    ) -> None:
        self.link = link
        self.description = description
        self._exchange = Exchange(link, description.apid, options or ClientOptions())

    @classmethod
    def open(
        cls,
        url: str,
        description: LinkDescription,
        *,
        baud: int | None = None,
        options: ClientOptions | None = None,
    ) -> "PayloadClient":
        """Open a port at the payload's baud rate, or another, and return its client."""
        return cls(Link(open_transport(url, baud or description.baud)), description, options)

    def __enter__(self) -> "PayloadClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back."""
        self.link.transport.close()

    # --- Test and time ----------------------------------------------------------------------------

    def ping(self) -> Ping:
        """Ask whether the payload is alive."""
        started = time.monotonic()
        report = self._ask(Request(kind=(17, 1), answer=(17, 2)))
        return Ping(time.monotonic() - started, time_of(report))

    def set_time(self, time_s: float) -> None:
        """Set the payload's time, in seconds of its epoch."""
        if not 0 <= time_s <= LAST_TIME_S:
            raise UsageError(f"time {time_s:g} s; expected 0 to {int(LAST_TIME_S)}")
        seconds, fraction = divmod(round(time_s * UNITS_PER_SECOND), UNITS_PER_SECOND)
        fields = {"p_field": CUC_P_FIELD, "seconds": seconds, "fraction": fraction}
        self._do((9, 128), time=fields)

    # --- Registers --------------------------------------------------------------------------------

    def get(self, name: str) -> int:
        """Return the value of a register, or of one field (REGISTER.FIELD)."""
        return self.get_many([name])[name]

    def get_many(self, names: list[str]) -> dict[str, int]:
        """Return the values of registers and fields by name, read in as few commands as can be."""
        found = {name: self.description.readable(name) for name in names}
        registers = self.read_parameters([register.id for register, _ in found.values()])
        return {
            name: field_value(field, registers[register.id])
            for name, (register, field) in found.items()
        }

    def set(self, name: str, value: int | str) -> None:
        """Set a register, or one field of it, to a number or to the name of a value."""
        self.set_many({name: value})

    def set_many(self, values: Mapping[str, int | str]) -> None:
        """Set registers and fields, in one command: all of them, or none.

        A field is set by reading its register first, where it can be read; what another client
        changes in between is lost. In a register that can only be written the other fields are 0.
        """
        if not 1 <= len(values) <= MOST_PARAMETERS:
            raise UsageError(f"{len(values)} values; one command sets 1 to {MOST_PARAMETERS}")
        words: dict[int, int] = {}
        for name, value in values.items():
            register, field = self.description.settable(name)
            if field is not None and register.id not in words:
                words[register.id] = self._present(register)
            words[register.id] = with_field(name, field, words.get(register.id, 0), value)
            if field is None:  # Of one field, the others stay as they are, whatever that is.
                require_word(register, words[register.id])
        self.write_parameters(words)

    def read_parameters(self, parameter_ids: list[int]) -> dict[int, int]:
        """Return registers by their parameter IDs."""
        wanted = list(dict.fromkeys(parameter_ids))
        groups = [
            wanted[at : at + MOST_PARAMETERS] for at in range(0, len(wanted), MOST_PARAMETERS)
        ]
        values: dict[int, int] = {}
        for report in self._exchange.run(_parameter_request(group) for group in groups):
            assert report is not None
            fields = REPORTS[20, 2].parse(report.data)
            values |= {each.id: each.value for each in fields.parameters}
        return values

    def write_parameters(self, values: Mapping[int, int]) -> None:
        """Set registers by their parameter IDs, in one command."""
        self._do((20, 3), parameters=[{"id": each, "value": values[each]} for each in values])

    # --- Memories ---------------------------------------------------------------------------------

    def read_memory(
        self,
        name: str,
        address: int = 0,
        octets: int | None = None,
        progress: Progress | None = None,
    ) -> bytes:
        """Return octets of a memory, up to its end by default; each area's checksum is verified."""
        memory = self.description.memory(name)
        return self._read(
            memory, address, memory.octets - address if octets is None else octets, progress
        )

    def write_memory(
        self, name: str, address: int, data: bytes, progress: Progress | None = None
    ) -> None:
        """Write octets to a memory, in areas of up to 1,024."""
        memory = self.description.memory(name)
        requests = (
            _load_request(memory.id, address + at, data[at : at + step])
            for at, step in _steps(memory, len(data))
        )
        for done, _ in enumerate(self._exchange.stream(requests), 1):
            if progress:
                progress(min(done * _step(memory), len(data)))

    def rewrite_flash(
        self,
        name: str,
        erased: Sequence[tuple[int, int]],
        written: Sequence[tuple[int, bytes]],
        progress: Progress | None = None,
    ) -> None:
        """Erase stretches (address, octets) of a flash, whole sectors; then write (address, data).

        All of it is under way at once, as far as the payload has room.
        """
        memory = self.description.memory(name)
        erasures = (
            replace(
                _area_request((6, 128), memory.id, at, octets, is_answered=False),
                patience_s=ERASE_PATIENCE_S,
            )
            for at, octets in erased
        )
        areas = [
            (start + at, data[at : at + step])
            for start, data in written
            for at, step in _steps(memory, len(data))
        ]
        loads = (_load_request(memory.id, at, data) for at, data in areas)
        sizes = [*([0] * len(erased)), *(len(data) for _, data in areas)]
        done = 0
        requests = chain(erasures, loads)
        for place, _ in self._exchange.stream(requests, FLASH_WINDOW):
            done += sizes[place]
            if progress:
                progress(done)

    def check_memory(self, name: str, address: int, octets: int) -> int:
        """Return the CRC-16 that the payload computes over one area of up to 1,024 octets."""
        request = _area_request((6, 9), self.description.memory(name).id, address, octets)
        area = REPORTS[6, 10].parse(self._ask(request).data).areas[0]
        return int(area.checksum)

    def image_crc32(self, name: str, address: int, octets: int) -> int:
        """Return the CRC-32 that the payload computes over any stretch of a memory."""
        request = _area_request((6, 129), self.description.memory(name).id, address, octets)
        report = self._ask(replace(request, patience_s=octets * SUM_PATIENCE_S))
        return int(REPORTS[6, 130].parse(report.data).areas[0].crc)

    def _read(
        self, memory: MemoryDescription, address: int, octets: int, progress: Progress | None
    ) -> bytes:
        if octets <= 0:
            raise UsageError(
                f"{memory.name}: {octets} octets from {address:#x}; expected 1 or more"
            )
        parts: dict[int, bytes] = {}
        requests = (
            _area_request((6, 5), memory.id, address + at, step)
            for at, step in _steps(memory, octets)
        )
        for place, report in self._exchange.stream(requests):
            assert report is not None
            parts[place] = REPORTS[6, 6].parse(report.data).areas[0].data
            if progress:
                progress(sum(map(len, parts.values())))
        return b"".join(parts[place] for place in sorted(parts))

    # --- Housekeeping, events, functions ----------------------------------------------------------

    def housekeeping(self) -> Housekeeping:
        """Ask for one housekeeping report."""
        structure_id = self.description.structure_id
        request = Request(
            kind=(3, 27),
            fields={"structures": [structure_id]},
            answer=(3, 25),
            is_answered_by=lambda fields: fields.structure_id == structure_id,
        )
        return Housekeeping.of(self._ask(request))

    def set_housekeeping(
        self, *, is_enabled: bool | None = None, interval_s: float | None = None
    ) -> None:
        """Switch periodic housekeeping on or off, or set its interval."""
        structure_id = self.description.structure_id
        if interval_s is not None:
            if not 0 < interval_s <= INTERVAL_MAX_S:
                raise UsageError(f"interval {interval_s:g} s; expected 0.01 to {INTERVAL_MAX_S}")
            item = {"structure_id": structure_id, "interval_ms": round(interval_s * 1000)}
            self._do((3, 31), intervals=[item])
        if is_enabled is not None:
            self._do((3, 5 if is_enabled else 6), structures=[structure_id])

    def set_events(self, names: list[str], *, is_enabled: bool) -> None:
        """Switch the reports of events on or off; they are kept in the log either way."""
        events = [self.description.event(name).id for name in names]
        self._do((5, 5 if is_enabled else 6), events=events)

    def event_log(self) -> list[Event]:
        """Return the events that the payload has kept, the oldest first."""
        return read_event_log(self._read(_EVENT_LOG, 0, _EVENT_LOG.octets, None), self.description)

    def reports(self, seconds: float | None = None) -> Iterator[Telemetry]:
        """Yield every report that comes, for so long or for ever."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while deadline is None or time.monotonic() < deadline:
            step = time.monotonic() + 0.2
            yield from self.link.receive(step if deadline is None else min(step, deadline))

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """Yield the events that are reported, for so long or for ever."""
        for report in self.reports(seconds):
            if report.service == 5:
                yield read_event(report, self.description)

    def perform(self, name: str) -> None:
        """Perform a function."""
        self._do((8, 1), function_id=self.description.function(name).id)

    def _present(self, register: ParameterDescription) -> int:
        if "r" not in register.access:
            return 0
        return self.read_parameters([register.id])[register.id]

    def _do(self, kind: tuple[int, int], **fields: Any) -> None:
        self._exchange.run([Request(kind=kind, fields=fields)])

    def _ask(self, request: Request) -> Telemetry:
        (report,) = self._exchange.run([request])
        assert report is not None
        return report


def time_of(report: Telemetry) -> float:
    """Return the payload's time in a report, in seconds."""
    return report.seconds + report.fraction / UNITS_PER_SECOND


def _parameter_request(parameter_ids: list[int]) -> Request:
    return Request(
        kind=(20, 1),
        fields={"parameters": parameter_ids},
        answer=(20, 2),
        is_answered_by=lambda found: [each.id for each in found.parameters] == parameter_ids,
    )


def _area_request(
    kind: tuple[int, int], memory_id: int, address: int, length: int, *, is_answered: bool = True
) -> Request:
    def is_answer(found: Any) -> bool:
        if found.memory_id != memory_id or len(found.areas) != 1:
            return False
        area = found.areas[0]
        return bool((area.address, area.length) == (address, length))

    def fault(found: Any) -> str:
        if kind != (6, 5) or (summed := crc16(found.areas[0].data)) == found.areas[0].checksum:
            return ""
        told = found.areas[0].checksum
        return (
            f"the checksum of {length} octets from {address:#x} is told as {told:#06x} and is "
            f"{summed:#06x}: the memory does not read the same twice, or its data were damaged"
        )

    _require_place(address, length, WORD_MAX if kind in LONG_AREAS else SHORT_LENGTH_MAX)
    area = {"address": address, "length": length}
    return Request(
        kind=kind,
        fields={"memory_id": memory_id, "areas": [area]},
        answer=(kind[0], kind[1] + 1) if is_answered else None,
        is_answered_by=is_answer,
        fault_of=fault,
    )


def _load_request(memory_id: int, address: int, data: bytes) -> Request:
    _require_place(address, len(data), SHORT_LENGTH_MAX)
    area = {"address": address, "length": len(data), "data": data, "checksum": crc16(data)}
    return Request(kind=(6, 2), fields={"memory_id": memory_id, "areas": [area]})


def _require_place(address: int, length: int, longest: int) -> None:
    """Raise `UsageError` for what an area cannot say; what a memory has not, its payload says."""
    if not 0 <= address <= WORD_MAX:
        raise UsageError(f"address {address:#x}; expected 0 to {WORD_MAX:#x}")
    if not 0 <= length <= longest:
        raise UsageError(f"{length} octets; expected 1 to {longest}")


def _step(memory: MemoryDescription) -> int:
    return LONGEST_AREA // memory.word_octets * memory.word_octets


def _steps(memory: MemoryDescription, octets: int) -> Iterator[tuple[int, int]]:
    """Yield (place, octets) of the areas of whole words that cover so many octets."""
    for at in range(0, octets, _step(memory)):
        yield at, min(_step(memory), octets - at)
