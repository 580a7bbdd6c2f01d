# SPDX-License-Identifier: Apache-2.0
"""Where one octet of a dump belongs: to which frame, and to which packet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge

from telemetry.columns.definition import Definition
from telemetry.errors import UsageError
from telemetry.ops.ledger import Ledger
from telemetry.ops.options import Options
from telemetry.ops.table_booking import PacketTable, book_table
from telemetry.wire.batch import PacketBatch
from telemetry.wire.framing import Frame, FrameKind, Framing, framing
from telemetry.wire.scan import Scanned, Scanner, packet_spans
from telemetry.wire.spans import Kind, Span

KEPT_OCTETS = 1 << 18  # Before the octet that is looked for; a packet has at most 65,542.
_IN_PIECES = (Kind.SKIPPED, Kind.FILL)  # Handed out as they come.
_DELIMITED = ("kiss", "slip", "cobs")
_OPENINGS = {"kiss": b"\xc0", "slip": b"\xc0", "cobs": b""}


@dataclass(slots=True)
class Window:
    """The octets of a stream around a place in it."""

    base: int = 0  # Of the first octet that is kept.
    octets: bytes = b""
    is_closed: bool = False  # Nothing follows.

    def add(self, chunk: bytes, needed_from: int | None) -> None:
        """Add octets; forget those far before `needed_from`, or before the chunk."""
        end = self.base + len(self.octets)
        first = (end if needed_from is None else min(end, needed_from)) - KEPT_OCTETS
        cut = max(first - self.base, 0)
        self.octets = self.octets[cut:] + chunk
        self.base += cut

    def get(self, start: int, end: int) -> bytes:
        """Return the octets `start .. end - 1`, as far as they are kept."""
        return self.octets[max(start - self.base, 0) : max(end - self.base, 0)]

    @property
    def end(self) -> int:
        """Behind the last octet."""
        return self.base + len(self.octets)


@dataclass(slots=True)
class FramePlace:
    """An octet on the floor of frames."""

    frame: Frame
    octets: bytes  # The frame as it came.
    payload_at: int | None = None  # Which octet of the payload this is; None: overhead.


@dataclass(slots=True)
class PacketPlace:
    """An octet on the floor of packets; offsets are those of what reaches that floor."""

    offset: int
    span: Span
    before: Span | None
    after: Span | None
    missing_before: int  # Packets of the same APID.
    window: Window


@dataclass(slots=True)
class Located:
    """What an octet is part of."""

    offset: int
    window: Window  # Of the dump.
    frame: FramePlace | None = None
    packet: PacketPlace | None = None


def locate(
    chunks: Iterable[bytes], definition: Definition, options: Options, offset: int
) -> Located:
    """Walk through a dump up to what the octet at `offset` is part of, and one span further.

    `UsageError` when the dump ends before `offset`.
    """
    dump = Window()
    rules = definition.rules(is_segmented=options.reassemble)
    frames = framing(
        options.framing,
        skip=options.skip,
        has_primary_header=options.has_primary_header,
        rules=rules,
    )
    packets = _PacketFloor(Scanner(rules))
    watched = _watched(chunks, dump, offset)
    if frames is None:
        packets.target = offset
        packets.walk(watched)
        place = None
    else:
        floor = _FrameFloor(frames, options, dump, offset)
        packets.walk(floor.payloads(watched, packets))
        place = floor.place
    if dump.end <= offset:
        raise UsageError(f"--offset {offset}: the dump has {dump.end:,} bytes; the first is 0")
    is_packet = packets.found is not None and options.has_primary_header
    return Located(offset, dump, place, packets.place() if is_packet else None)


def _watched(chunks: Iterable[bytes], window: Window, offset: int) -> Iterator[bytes]:
    for chunk in chunks:
        window.add(chunk, offset)
        yield chunk
    window.is_closed = True


class _FrameFloor:
    """Finds the frame, and hands on what frames carry."""

    def __init__(self, frames: Framing, options: Options, dump: Window, offset: int) -> None:
        self.place: FramePlace | None = None
        self._frames = frames
        self._options = options
        self._dump = dump
        self._offset = offset

    def payloads(self, chunks: Iterable[bytes], packets: "_PacketFloor") -> Iterator[bytes]:
        for chunk in chunks:
            yield b"".join(self._carried(self._frames.push(chunk), packets))
            if self.place is not None and packets.target is None:
                return  # It carries nothing: there is nothing to look for above.
        yield b"".join(self._carried(self._frames.close(), packets))

    def _carried(self, frames: Iterable[Frame], packets: "_PacketFloor") -> Iterator[bytes]:
        for frame in frames:
            if frame.offset <= self._offset < frame.offset + frame.length:
                raw = self._dump.get(frame.offset, frame.offset + frame.length)
                self.place = FramePlace(frame, raw)
                self.place.payload_at = self._payload_at(frame, raw)
                if self.place.payload_at is not None and _is_carrier(frame):
                    packets.target = packets.octets + self.place.payload_at
            if _is_carrier(frame):
                packets.octets += len(frame.data)
                yield frame.data

    def _payload_at(self, frame: Frame, raw: bytes) -> int | None:
        """Return which octet of the payload the octet is, if it is one."""
        inside = self._offset - frame.offset
        if self._options.framing in _DELIMITED:
            before, behind = (self._decoded(raw[:end]) for end in (inside, inside + 1))
            skip = self._options.skip if frame.kind is FrameKind.FRAME else 0
            at = before - skip if behind > before else -1
        else:
            at = inside - (frame.length - len(frame.data))
        return at if 0 <= at < len(frame.data) else None

    def _decoded(self, raw: bytes) -> int:
        """Return how many octets the beginning of a frame stands for."""
        fresh = framing(self._options.framing)
        if fresh is None:
            return 0
        records = [
            *fresh.push(_OPENINGS[self._options.framing]), *fresh.push(raw), *fresh.close()
        ]  # fmt: skip
        return len(records[-1].data) if records else 0


def _is_carrier(frame: Frame) -> bool:
    return frame.kind in (FrameKind.FRAME, FrameKind.DAMAGED, FrameKind.JUNK)


@dataclass(slots=True)
class _PacketFloor:
    """Finds the span of a stream of packets that holds the octet `target`."""

    scanner: Scanner
    target: int | None = None
    octets: int = 0  # That came through frames by now.
    found: Span | None = None
    before: Span | None = None
    earlier: Span | None = None  # Before that one.
    after: Span | None = None
    is_done: bool = False
    missing: int = 0
    window: Window = field(default_factory=Window)
    ledger: Ledger = field(default_factory=Ledger)

    def walk(self, chunks: Iterable[bytes]) -> None:
        """Read until the span, and the one behind it, are certain."""
        for chunk in chunks:
            self.window.add(chunk, self.target)
            self._take(self.scanner.scan(chunk))
            if self.is_done:
                return
        self.window.is_closed = True
        self._take(self.scanner.finish())

    def place(self) -> PacketPlace:
        """Return what was found."""
        assert self.found is not None
        assert self.target is not None
        return PacketPlace(
            self.target, self.found, self.before, self.after, self.missing, self.window
        )

    def _take(self, scanned: Scanned) -> None:
        packets = scanned.packets
        missing = book_table(self.ledger, _table(packets), scanned.others).tolist()
        if self.target is None or _end(scanned) <= self.target:
            self._skip(scanned)
            return
        numbered = ((span, gap) for span, gap in zip(packet_spans(packets), missing, strict=True))
        others = ((span, 0) for span in scanned.others)
        for span, gap in merge(numbered, others, key=lambda pair: pair[0].offset):
            self._look(span, gap)

    def _skip(self, scanned: Scanned) -> None:
        """Pass over spans, but remember the last two."""
        ends = [*scanned.others, *packet_spans(_last_two(scanned.packets))]
        for span in sorted(ends, key=lambda span: span.offset):
            self._pass(span)

    def _pass(self, span: Span) -> Span:
        """Remember a span, joined with those before it that it goes on from."""
        joined = _joined(self.before, span)
        if joined is span:
            self.earlier = self.before
        self.before = joined
        return joined

    def _look(self, span: Span, missing: int) -> None:
        assert self.target is not None
        if self.found is None:
            joined = self._pass(span)
            if span.offset <= self.target < span.offset + span.length:
                self.found, self.missing = joined, missing
                self.before = self.earlier
        elif self.after is None:
            joined = _joined(self.found, span)
            if joined is span:
                self.after = span
            else:
                self.found = joined
        elif not self.is_done:
            joined = _joined(self.after, span)
            self.is_done = joined is span
            self.after = self.after if self.is_done else joined
        if self.after is not None and self.after.kind not in _IN_PIECES:
            self.is_done = True


def _joined(before: Span | None, span: Span) -> Span:
    """Return one span where `span` goes on with what `before` was."""
    if before is None or before.kind is not span.kind or span.kind not in _IN_PIECES:
        return span
    if before.offset + before.length != span.offset:
        return span
    return before._replace(length=before.length + span.length)


def _table(packets: PacketBatch) -> PacketTable:
    octets, starts = packets.octets, packets.starts
    words = [octets[starts + at].astype("i8") << 8 | octets[starts + at + 1] for at in (0, 2)]
    return PacketTable(
        starts + packets.offset,
        packets.lengths,
        words[0] & 0x7FF,
        words[1] & 0x3FFF,
        packets.verdicts,
        {},
    )


def _last_two(packets: PacketBatch) -> PacketBatch:
    last = slice(max(len(packets) - 2, 0), None)
    return PacketBatch(
        packets.octets,
        packets.starts[last],
        packets.lengths[last],
        packets.offset,
        packets.verdicts[last],
    )


def _end(scanned: Scanned) -> int:
    """Return where the last span of a stretch ends."""
    ends = [span.offset + span.length for span in scanned.others[-1:]]
    if len(scanned.packets):
        packets = scanned.packets
        ends.append(packets.offset + int(packets.starts[-1] + packets.lengths[-1]))
    return max(ends, default=0)
