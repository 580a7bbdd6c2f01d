# SPDX-License-Identifier: Apache-2.0
"""A packet definition compiled to columns: the same values as construct gives, many at a time.

Blocks of packets run through the compiled program side by side. What construct would refuse is
refused, packet for packet; what is not known to parse alike is left to Python, field by field, and
said so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, overload

import construct
import numpy as np
from numpy.typing import NDArray

from telemetry.columns.asked import LETS_GO
from telemetry.columns.column import Column
from telemetry.columns.fallback import Leaves, build_columns, leaves_of
from telemetry.columns.field_path import FieldError, PacketParser
from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.columns.frame import Frame, LanesFailedError, LetGo
from telemetry.columns.kinds import EndlessError
from telemetry.columns.layout import WholeError, compile_program
from telemetry.columns.place import Naming
from telemetry.columns.separation import SeparationError
from telemetry.columns.store import Store
from telemetry.errors import InputError
from telemetry.wire.batch import Indices, PacketBatch, VerdictCode
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS, PrimaryHeader

Number = TypeVar("Number", bound=np.generic)
MAX_BLOCK_PACKETS = 16_384
MIN_BLOCK_PACKETS = 256  # Fewer, and the work per block outweighs that per packet.
BLOCK_OCTETS = 5 << 18  # A block of packets is to stay in a second-level cache.
_HEADER_BITS = (3, 1, 1, 11, 2, 14, 16)  # CCSDS 133.0-B-2, 4.1.3
_HEADER = construct.BitStruct(
    *(
        name / construct.BitsInteger(bits)
        for name, bits in zip(PrimaryHeader._fields, _HEADER_BITS, strict=True)
    )
)
_VERDICT_NAMES = {int(code): str(code.verdict) for code in VerdictCode}


@dataclass(frozen=True, slots=True)
class Fallback:
    """A field that Python reads packet by packet, and why: it is slower by far."""

    path: str
    reason: str
    remedy: str = ""  # What would be read at once in its place, if that is known.

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Slowness:
    """What keeps packets of one definition from being read many at a time."""

    label: str
    is_whole: bool  # Whether construct parses whole packets.
    fallbacks: tuple[Fallback, ...]

    def merge(self, other: "Slowness") -> "Slowness":
        """Return what two processes found out about the same definition."""
        fallbacks = dict.fromkeys((*self.fallbacks, *other.fallbacks))
        return Slowness(self.label, self.is_whole or other.is_whole, tuple(fallbacks))


@dataclass(frozen=True)
class Failure:
    """A packet that the definition refuses; `index` is its place in the batch."""

    index: int
    data_field: bytes
    _parser: PacketParser

    @cached_property
    def error(self) -> FieldError:
        """The field that failed, and why: found by parsing the packet with construct."""
        try:
            self._parser.parse(self.data_field)
        except FieldError as error:
            return error
        raise AssertionError(f"packet {self.index} is refused without a reason")


class Failures(Sequence[Failure]):
    """The packets of a batch that the definition refuses, in order; explained when asked."""

    def __init__(self, plan: "Plan", batch: PacketBatch, indices: Indices) -> None:
        self.indices = indices
        self._plan = plan
        self._batch = batch

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> Failure: ...
    @overload
    def __getitem__(self, place: slice) -> "Failures": ...
    def __getitem__(self, place: int | slice) -> "Failure | Failures":
        if isinstance(place, slice):
            return Failures(self._plan, self._batch, self.indices[place])
        index = int(self.indices[place])
        data = self._plan.data_field(self._batch, index)
        return Failure(index, data, self._plan.parser)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The columns of the packets that could be read, and those that could not."""

    columns: dict[str, Column]
    indices: Indices  # Of the packets in `columns`, in the batch: one per row, ascending.
    failures: Failures
    let_go: tuple[LetGo, ...] = ()  # Values that are not there; `packet` is its index in the batch.


class Plan:
    """How packets of one definition become columns."""

    def __init__(self, label: str, layout: Any, *, has_header: bool = True) -> None:
        self.label, self.layout = label, layout
        self.parser = PacketParser(layout, label)
        self._has_header = has_header
        self._inseparable: dict[str, str] = {}  # Path -> why, found out by packets.
        self._compile()

    def _compile(self) -> None:
        header = [(_HEADER, Naming.OURS)] if self._has_header else []
        self.is_whole = False  # Whether construct parses whole packets.
        try:
            found = compile_program([*header, (self.layout, Naming.USER)], self._inseparable)
            problems = found.left
        except WholeError as error:
            problems = error.problems
            self.is_whole = True
            found = compile_program([*header, (construct.GreedyBytes, Naming.NONE)])
        self._program = found.program
        self.specs = found.specs  # Columns that are known beforehand; construct may bring more.
        self.fallbacks = tuple(
            Fallback(_join(self.label, problem.path), problem.reason, problem.remedy)
            for problem in problems
        )

    @property
    def is_compiled(self) -> bool:
        """Whether packets become columns without a function, or construct, for each of them."""
        return not self.fallbacks

    @property
    def slowness(self) -> Slowness | None:
        """What is known by now to be slow; packets may tell of more."""
        return Slowness(self.label, self.is_whole, self.fallbacks) if self.fallbacks else None

    def data_field(self, batch: PacketBatch, index: int) -> bytes:
        """Return the octets that the definition describes of one packet."""
        return batch.packet(index)[PRIMARY_HEADER_OCTETS if self._has_header else 0 :]

    def extract(self, batch: PacketBatch) -> Extracted:
        """Read all packets of a batch.

        The columns are those of the primary header, of the fields in order of the definition, and
        `crc_verdict`; each holds the packets that could be read.
        """
        while True:
            try:
                return self._extract(batch)
            except SeparationError as error:
                self._inseparable[error.path] = error.reason
                self._compile()

    def _extract(self, batch: PacketBatch) -> Extracted:
        store = Store(self.specs, len(batch))
        indices = np.arange(len(batch), dtype=np.int64)
        parsed: list[Leaves] | None = None
        let_go: list[LetGo] = []
        if self.is_whole:
            indices, parsed = self._parse(batch, let_go)
        size = _block_packets(batch)
        blocks = range(0, max(len(indices), 1), size)
        good = [self._run(batch, indices[at : at + size], store, let_go) for at in blocks]
        if sum(map(len, good)) < len(indices):
            indices = np.concatenate(good)
        columns = store.columns()
        if parsed is not None:
            columns |= build_columns(parsed)
        verdicts = _take(batch.verdicts, indices)
        columns[VERDICT_COLUMN] = Column(
            name=VERDICT_COLUMN, raw=verdicts, categories=_VERDICT_NAMES
        )
        failures = Failures(self, batch, _others(indices, len(batch)))
        return Extracted(columns, indices, failures, tuple(let_go))

    def _run(
        self, batch: PacketBatch, indices: Indices, store: Store, let_go: list[LetGo]
    ) -> Indices:
        """Add the packets of one block to the columns; return those that could be read.

        What is refused with all its values is tried once more without those that are none.
        """
        lets_go = np.zeros(len(indices), np.bool_)
        while len(indices):
            starts = _take(batch.starts, indices)
            ends = starts + _take(batch.lengths, indices)
            space = store.space(len(indices))
            frame = Frame(batch.octets, starts, ends, space, stride=_stride(starts))
            frame.keep(LETS_GO, lets_go)
            try:
                with np.errstate(all="ignore"):
                    self._program.run(frame)
            except LanesFailedError as error:
                is_left = ~error.failed | (~lets_go & self.parser.lets_go)
                indices, lets_go = indices[is_left], (lets_go | error.failed)[is_left]
                continue
            store.commit(space)
            let_go += [
                LetGo(int(indices[found.packet]), _join(self.label, found.path), found.reason)
                for found in sorted(frame.let_go, key=lambda found: found.packet)
            ]
            return indices
        store.commit(store.space(0))
        return indices

    def _parse(self, batch: PacketBatch, let_go: list[LetGo]) -> tuple[Indices, list[Leaves]]:
        """Parse each packet with construct; return those that it accepts, and their values."""
        indices, packets = [], []
        for index in range(len(batch)):
            try:
                found = self.parser.parse(self.data_field(batch, index))
            except FieldError:
                continue
            indices.append(index)
            packets.append(leaves_of(found.value))
            let_go += [LetGo(index, _join(self.label, name), why) for name, why in found.unreadable]
        return np.array(indices, np.int64), packets


def compile_packet(layout: Any, label: str, *, has_header: bool = True) -> Plan:
    """Compile a construct of what follows the primary header; `label` names it in messages.

    `has_header` tells whether packets begin with a primary header. `InputError` for a definition
    that no packet could be read with.
    """
    try:
        return Plan(label, layout, has_header=has_header)
    except EndlessError as error:
        raise InputError(f"{_join(label, error.path)}: {error}") from error


def _join(label: str, path: str) -> str:
    return f"{label}.{path}" if path and not path.startswith("[") else label + path


def _block_packets(batch: PacketBatch) -> int:
    """Return how many packets of this batch to read at a time."""
    mean_octets = int(batch.lengths.mean()) if len(batch) else 1
    return min(max(BLOCK_OCTETS // max(mean_octets, 1), MIN_BLOCK_PACKETS), MAX_BLOCK_PACKETS)


def _take(values: NDArray[Number], indices: Indices) -> NDArray[Number]:
    """Return `values[indices]` for ascending indices: a view where none is left out."""
    if len(indices) and indices[-1] - indices[0] == len(indices) - 1:
        return values[int(indices[0]) : int(indices[-1]) + 1]
    return values[indices]


def _others(indices: Indices, count: int) -> Indices:
    """Return what is not in `indices` of 0..count-1, in order."""
    if len(indices) == count:
        return np.empty(0, np.int64)
    is_other = np.ones(count, np.bool_)
    is_other[indices] = False
    return np.flatnonzero(is_other)


def _stride(starts: Indices) -> int | None:
    """Return the distance of packets that lie at equal distances."""
    if len(starts) < 2:
        return 1
    steps = starts[1:] - starts[:-1]
    stride = int(steps[0])
    return stride if (steps == stride).all() else None
