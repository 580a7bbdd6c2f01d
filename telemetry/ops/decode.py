# SPDX-License-Identifier: Apache-2.0
"""A dump and a definition in, rows and a ledger out."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from telemetry.columns.definition import Definition, define
from telemetry.columns.field_path import FieldError
from telemetry.columns.flatten import Row, build_row
from telemetry.columns.loading import load_definition
from telemetry.errors import InputError
from telemetry.ops.ledger import Ledger
from telemetry.ops.output import Output, Sink
from telemetry.ops.summary import explain_no_packet
from telemetry.wire.deframer import Deframer
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS
from telemetry.wire.spans import Kind, Span

if TYPE_CHECKING:
    import numpy as np

Dump: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO

CHUNK_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Decoded:
    """What `decode` gives back."""

    tables: Mapping[int, list[Row]]  # APID -> rows in order of arrival; empty with an output file.
    ledger: Ledger
    outputs: tuple[Path, ...] = ()  # The files written.

    def rows(self, apid: int | None = None) -> list[Row]:
        """Return the rows of `apid`; without one, of the only APID there is."""
        return self.tables[self._only(apid)]

    def columns(self, apid: int | None = None) -> "dict[str, np.ndarray[Any, Any]]":
        """Return the rows of `apid` as numpy columns; see `build_array` for their types."""
        from telemetry.columns.arrays import build_array

        rows = self.rows(apid)
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: build_array([row.get(name) for row in rows]) for name in names}

    def _only(self, apid: int | None) -> int:
        if apid is not None:
            return apid
        if len(self.tables) != 1:
            raise ValueError(f"name one of the APIDs {sorted(self.tables)}")
        return next(iter(self.tables))


@dataclass(slots=True)
class Tables:
    """A sink that keeps every row."""

    by_apid: dict[int, list[Row]] = field(default_factory=dict)

    def write(self, apid: int, row: Row) -> None:
        """Take a row of a packet with this APID."""
        self.by_apid.setdefault(apid, []).append(row)


def decode(
    dump: Dump,
    definition: object,
    *,
    output: str | os.PathLike[str] | None = None,
    apid: int | None = None,
) -> Decoded:
    """Decode a dump of CCSDS space packets.

    `dump` is a path, the octets themselves, or a binary stream. `definition` is a construct of what
    follows the 6-octet primary header, a dict APID -> construct, or a text `FILE.py:NAME` or
    `MODULE:NAME`, which is run. With `output` (`.csv`, `.jsonl`, `.parquet`) rows go to that file,
    or to one file per APID, and memory stays bounded; without it they are in the result. `apid`
    selects one APID.

    Damage does not raise: see `Decoded.ledger`, and the column `crc_verdict` of each row. Raises
    `InputError` when the input cannot be read or gives no packet at all, `UsageError` for arguments
    that do not fit together, `MissingExtraError` for Parquet without pyarrow.
    """
    loaded = load_definition(definition) if isinstance(definition, str) else define(definition)
    chosen = loaded if apid is None else loaded.bind(apid)
    tables = Tables()
    outputs: tuple[Path, ...] = ()
    with open_dump(dump) as (stream, name):
        if output is None:
            ledger = decode_stream(stream, chosen, tables, apid=apid)
        else:
            inputs = (Path(dump),) if isinstance(dump, str | os.PathLike) else ()
            ledger, outputs = decode_to_files(
                stream, chosen, Path(output), apid=apid, inputs=inputs
            )
    if not ledger.rows:
        raise InputError(explain_no_packet(name, ledger, chosen))
    return Decoded(tables.by_apid, ledger, outputs)


def decode_to_files(
    stream: BinaryIO,
    definition: Definition,
    path: Path,
    *,
    apid: int | None = None,
    inputs: tuple[Path, ...] = (),
    on_octets: Callable[[int], object] | None = None,
) -> tuple[Ledger, tuple[Path, ...]]:
    """Decode `stream` into the file or files of `path`; return the ledger and what was written.

    Without a single row nothing is written. `inputs` are files that must not be overwritten.
    """
    is_split = apid is None and len(definition.by_apid) > 1
    try:
        with Output(path, is_split=is_split, inputs=inputs) as files:
            ledger = decode_stream(stream, definition, files, apid=apid, on_octets=on_octets)
            return ledger, files.commit() if ledger.rows else ()
    except OSError as error:
        text = error.strerror or error
        raise InputError(f"{path}: {text}; could not be written, nothing was") from error


def decode_stream(
    stream: BinaryIO,
    definition: Definition,
    sink: Sink,
    *,
    apid: int | None = None,
    on_octets: Callable[[int], object] | None = None,
) -> Ledger:
    """Decode everything that `stream` holds into `sink`, in bounded memory; return the ledger.

    `on_octets` is told the size of each chunk when it is done.
    """
    ledger = Ledger()
    deframer = Deframer(definition.rules())
    total = 0
    for chunk in _chunks(stream):
        total += len(chunk)
        _take(deframer.push(chunk), definition, sink, ledger, apid)
        if on_octets:
            on_octets(len(chunk))
    _take(deframer.close(), definition, sink, ledger, apid)
    ledger.close(total)
    return ledger


def _take(
    spans: Iterator[Span], definition: Definition, sink: Sink, ledger: Ledger, apid: int | None
) -> None:
    for span in spans:
        header = span.header
        if span.kind is not Kind.PACKET or header is None:
            ledger.add(span)
        elif apid is not None and header.apid != apid:
            ledger.add_other(span)
        else:
            _take_packet(span, definition, sink, ledger)


def _take_packet(span: Span, definition: Definition, sink: Sink, ledger: Ledger) -> None:
    """Write a row. A packet whose fields cannot be read is damaged, whatever its CRC says."""
    header = span.header
    packet = definition.of(header.apid) if header else None
    if header is None or packet is None:
        raise AssertionError("the deframer gave a packet that the definition does not have")
    try:
        parsed = packet.parse(span.data[PRIMARY_HEADER_OCTETS:])
    except FieldError as error:
        ledger.add_packet(span, str(error))
        return
    ledger.add_packet(span)
    sink.write(header.apid, build_row(header, parsed, span.verdict))


@contextmanager
def open_dump(dump: Dump) -> Iterator[tuple[BinaryIO, str]]:
    """Open a dump for reading; yield the stream and a name for messages."""
    if isinstance(dump, bytes | bytearray | memoryview):
        yield io.BytesIO(dump), "dump"
    elif isinstance(dump, str | os.PathLike):
        with _open_file(Path(dump)) as stream:
            yield stream, str(dump)
    else:
        yield dump, str(getattr(dump, "name", "dump"))


def _open_file(path: Path) -> BinaryIO:
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; expected a dump file")
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a dump file") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    while chunk := _read(read):
        yield chunk


def _read(read: Callable[[int], bytes]) -> bytes:
    try:
        return read(CHUNK_OCTETS)
    except OSError as error:
        raise InputError(f"the dump cannot be read: {error.strerror or error}") from error
