# SPDX-License-Identifier: Apache-2.0
"""What an octet of a dump is, and why it was or was not decoded, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.columns.definition import Definition
from telemetry.columns.extents import OCTET_BITS, Dissection, dissect
from telemetry.columns.flatten import Value
from telemetry.common.text import count, printable
from telemetry.ops.locate import FramePlace, Located, PacketPlace, Window
from telemetry.wire.crc import CRC_OCTETS, crc16
from telemetry.wire.framing import FrameKind
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.space_packet import (
    IDLE_APID,
    PACKET_TYPE_TELEMETRY,
    PACKET_VERSION,
    PRIMARY_HEADER_OCTETS,
    PrimaryHeader,
    parse_primary_header,
)
from telemetry.wire.spans import Kind, Span, Verdict

_LINE_OCTETS = 16
_LINES_AROUND = 2
_SHOWN_CANDIDATES = 5
_SHOWN_RULES = 4
_FLAG_WORDS = ("a continuation", "the first of a group", "the last of a group", "no segment")
_HEADER_FIELDS = (
    "version, type, secondary header flag, APID", "version, type, secondary header flag, APID",
    "sequence flags, sequence count", "sequence flags, sequence count", "data length",
    "data length",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Floor:
    """What one floor says of an octet."""

    title: str
    notes: tuple[tuple[str, str], ...]  # A short label, and a sentence.


def explain(
    located: Located, definition: Definition | None, rules: StreamRules, segment_fate: str = ""
) -> list[Floor]:
    """Return what each floor says, from the lowest up; `definition` None: nobody gave one.

    `segment_fate` says what became of the group that a segment belongs to.
    """
    floors = []
    if located.frame is not None:
        floors.append(_frame_floor(located, located.frame))
    if located.packet is not None:
        floors.append(_packet_floor(located.packet, definition, rules, segment_fate))
    elif located.frame is not None and located.frame.payload_at is not None:
        floors.append(_headerless_floor(located.frame, located.frame.payload_at, definition))
    return floors


def _headerless_floor(place: FramePlace, at: int, definition: Definition | None) -> Floor:
    """Tell of a packet data field that is the whole of a frame."""
    title = "a packet data field, without a primary header"
    known = [*definition.by_apid.values(), definition.any_apid] if definition else []
    packets = [packet for packet in known if packet is not None]
    if place.frame.kind is not FrameKind.FRAME:
        return Floor(title, (("decoded", "no: its frame is not whole"),))
    if len(packets) != 1:
        return Floor(title, ())
    (packet,) = packets
    dissection = dissect(packet.layout, packet.label, place.frame.data)
    names = ", ".join(_fields_at(dissection, at)) or "no field that has a name"
    why = printable(str(dissection.error))
    decoded = "yes" if dissection.error is None else f"no: not as defined: {why}"
    return Floor(title, (("this byte", names), ("decoded", decoded)))


# --- The floor of frames --------------------------------------------------------------------------

_FRAME_WORDS = {
    FrameKind.FRAME: "a whole frame",
    FrameKind.DAMAGED: "a damaged frame",
    FrameKind.CONTROL: "a frame for the link itself (a time stamp, or a command to a modem)",
    FrameKind.DELIMITER: "a delimiter with no frame before it",
    FrameKind.JUNK: "no frame",
}


def _frame_floor(located: Located, place: FramePlace) -> Floor:
    frame = place.frame
    notes = [("carries", f"{count(len(frame.data), 'byte')} for the floor of packets")]
    if frame.kind in (FrameKind.DELIMITER, FrameKind.CONTROL):
        notes = [("carries", "nothing for the floor of packets")]
    if frame.reason:
        notes.append(("reason", frame.reason))
    inside = located.offset - frame.offset
    if place.payload_at is not None:
        notes.append(("this byte", f"byte {place.payload_at:,} of what the frame carries"))
    elif frame.kind is FrameKind.FRAME:
        notes.append(("this byte", f"byte {inside:,} of the frame: overhead, no payload"))
    if frame.kind in (FrameKind.DAMAGED, FrameKind.JUNK) and frame.data:
        notes.append(("then", "a packet in it counts only if it proves itself; see below"))
    return Floor(f"{_FRAME_WORDS[frame.kind]}, {_range(frame.offset, frame.length)}", tuple(notes))


# --- The floor of packets -------------------------------------------------------------------------


def _packet_floor(
    place: PacketPlace, definition: Definition | None, rules: StreamRules, segment_fate: str
) -> Floor:
    span = place.span
    where = _range(span.offset, span.length)
    if span.kind is Kind.PACKET and span.header is not None:
        title = f"a packet, {where}: {_header_text(span.header)}"
        if segment_fate:
            notes = list(_segment_notes(place, span, rules, segment_fate))
        else:
            notes = list(_packet_notes(place, span, definition, rules))
        return Floor(title, tuple(notes))
    if span.kind is Kind.LOST:
        title = f"a packet that is not whole, {where}"
        return Floor(title, tuple(_lost_notes(place, span, rules)))
    if span.kind is Kind.SKIPPED:
        return Floor(f"no packet, {where}", tuple(_skipped_notes(place, rules)))
    if span.kind is Kind.FILL:
        note = "zeros where a packet could have begun; they carry nothing"
        return Floor(f"fill, {where}", (("decoded", f"no: {note}"),))
    title = f"{'an idle packet' if span.kind is Kind.IDLE else 'a packet'}, {where}"
    return Floor(title, tuple(_walked_over_notes(span, rules)))


def _segment_notes(
    place: PacketPlace, span: Span, rules: StreamRules, segment_fate: str
) -> Iterator[tuple[str, str]]:
    header = span.header
    assert header is not None
    yield "segment", f"sequence flags {header.sequence_flags}: {_FLAG_WORDS[header.sequence_flags]}"
    yield "CRC", _crc_text(span, rules.find(header))
    yield from _gap_note(place, header)
    inside = place.offset - span.offset
    yield "this byte", f"byte {inside:,} of the packet: {_part_text(span, inside, None)}"
    yield "decoded", segment_fate


def _gap_note(place: PacketPlace, header: PrimaryHeader) -> Iterator[tuple[str, str]]:
    if place.missing_before:
        missing = count(place.missing_before, "packet")
        yield "gap", f"{missing} of APID {header.apid} missing right before it"


def _packet_notes(
    place: PacketPlace, span: Span, definition: Definition | None, rules: StreamRules
) -> Iterator[tuple[str, str]]:
    header = span.header
    assert header is not None
    packet = definition.of(header.apid) if definition else None
    rule = rules.find(header)
    if packet is not None:
        yield "rule", f"{printable(packet.label)}: {_rule_text(packet.rule)}"
    yield "CRC", _crc_text(span, rule)
    yield from _gap_note(place, header)
    inside = place.offset - span.offset
    yield "this byte", f"byte {inside:,} of the packet: {_part_text(span, inside, packet)}"
    if packet is None:
        yield "decoded", "nobody knows: give the definition with --definition"
        return
    dissection = dissect(packet.layout, packet.label, span.data[PRIMARY_HEADER_OCTETS:])
    for found in dissection.fields:
        if found.unreadable:
            yield "no value", printable(f"{found.name}: {found.unreadable}")
    if dissection.error is not None:
        yield "decoded", f"no: not as defined: {printable(str(dissection.error))}"
    elif span.verdict is Verdict.DAMAGED:
        yield "decoded", 'yes, but not to be trusted: its row says crc_verdict "damaged"'
        yield "why a packet", _why_in_chain(place)
    else:
        yield "decoded", f'yes: it gives a row, crc_verdict "{span.verdict.value}"'


def _crc_text(span: Span, rule: PacketRule | None) -> str:
    if rule is not None and rule.has_crc:
        carried = span.data[-CRC_OCTETS:].hex()
        if span.verdict is Verdict.GOOD:
            return f"holds (0x{carried})"
        computed = crc16(span.data[:-CRC_OCTETS])
        return f"does not hold: the packet carries 0x{carried}, its bytes give 0x{computed:04x}"
    return "none that the definition knows of; nobody can tell damage"


def _part_text(span: Span, inside: int, packet: object) -> str:
    """Name the part of a packet that an octet is in."""
    if inside < PRIMARY_HEADER_OCTETS:
        return f"the primary header ({_HEADER_FIELDS[inside]})"
    layout, label = getattr(packet, "layout", None), getattr(packet, "label", "")
    if layout is None:
        return "the data field"
    data = span.data[PRIMARY_HEADER_OCTETS:]
    names = list(_fields_at(dissect(layout, label, data), inside - PRIMARY_HEADER_OCTETS))
    if not names:
        return "the data field, in no field that has a name"
    return f"field{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _fields_at(dissection: Dissection, octet: int) -> Iterator[str]:
    for found in dissection.fields:
        extent = found.extent
        if extent and extent.first < (octet + 1) * OCTET_BITS and extent.end > octet * OCTET_BITS:
            yield printable(f"{found.name} = {_short(found.value)}")


def _short(value: Value | bytes) -> str:
    if value is None:
        return "no value"
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _why_in_chain(place: PacketPlace) -> str:
    if place.after is None:
        return "it begins where the packet before it ended, and the dump ends behind it"
    return "it begins where a packet was bound to begin, and where it ends the stream goes on"


def _lost_notes(place: PacketPlace, span: Span, rules: StreamRules) -> Iterator[tuple[str, str]]:
    if span.header is not None:
        yield "header", _header_text(span.header)
        rule = rules.of(span.header)
        if rule is not None:
            yield "rule", f"APID {span.header.apid}: {_rule_text(rule)}"
    yield "decoded", f"no: {span.reason}"
    if place.after is not None:
        yield "behind it", _span_text(place.after)


def _walked_over_notes(span: Span, rules: StreamRules) -> Iterator[tuple[str, str]]:
    header = span.header
    if header is None:
        return
    yield "header", _header_text(header)
    if span.kind is Kind.IDLE:
        yield "decoded", f"no: APID {IDLE_APID} is for idle packets, which carry nothing"
        return
    yield "decoded", f"no: {_why_not_known(header, rules)}; it was walked over"


def _skipped_notes(place: PacketPlace, rules: StreamRules) -> Iterator[tuple[str, str]]:
    span, window = place.span, place.window
    yield "decoded", "no: the bytes were skipped in search of the next packet"
    if place.before is not None:
        yield "before it", _span_text(place.before)
    if span.offset >= window.base:
        yield "it begins", f"byte {span.offset:,}: {refusal(window, span.offset, rules)}"
    if place.offset != span.offset:
        yield "this byte", f"byte {place.offset:,}: {refusal(window, place.offset, rules)}"
    yield "searched for", _search_text(rules)
    candidates = _candidates(place, rules)
    for at, text in candidates[:_SHOWN_CANDIDATES]:
        yield "refused", f"byte {at:,}: {text}"
    if len(candidates) > _SHOWN_CANDIDATES:
        yield "refused", f"... and {len(candidates) - _SHOWN_CANDIDATES:,} more places"
    if place.after is not None:
        yield "resumed at", _span_text(place.after)
    else:
        yield "resumed at", "nowhere: the dump ends"


def _candidates(place: PacketPlace, rules: StreamRules) -> list[tuple[int, str]]:
    """Return the places that looked like a header and were refused, the nearest first."""
    span, window = place.span, place.window
    first = max(span.offset, window.base) - window.base
    last = span.offset + span.length - window.base
    matches = rules.candidate_pattern().finditer(window.octets, first)
    places = []
    for match in matches:
        if match.start() >= last:
            break
        places.append(match.start() + window.base)
    places = [at for at in places if at not in (span.offset, place.offset)]
    places.sort(key=lambda at: abs(at - place.offset))
    shown = places[:_SHOWN_CANDIDATES]
    told = [(at, refusal(window, at, rules)) for at in shown]
    return told + [(at, "") for at in places[_SHOWN_CANDIDATES:]]


def refusal(window: Window, at: int, rules: StreamRules) -> str:
    """Say why no packet was taken to begin at `at`."""
    data = window.get(at, at + PRIMARY_HEADER_OCTETS)
    if len(data) < PRIMARY_HEADER_OCTETS:
        return f"only {count(len(data), 'byte')} left, too few for a primary header"
    header = parse_primary_header(data)
    if header.packet_version != PACKET_VERSION:
        return f"version {header.packet_version}; a space packet has version {PACKET_VERSION}"
    if not any(data):
        return "zeros, which are no header"
    rule = rules.find(header)
    if rule is None:
        return _why_not_known(header, rules)
    packet = window.get(at, at + header.packet_octets)
    if len(packet) < header.packet_octets:
        end = " before the dump ends" if window.is_closed else ""
        return f"{_header_text(header)}, but only {len(packet):,} bytes follow{end}"
    if rule.has_crc and crc16(packet):
        return f"{_header_text(header)}, but the CRC does not hold"
    return f"{_header_text(header)}, but no header that proves itself stands behind it"


def _why_not_known(header: PrimaryHeader, rules: StreamRules) -> str:
    if header.packet_type != PACKET_TYPE_TELEMETRY:
        return f"a telecommand packet of APID {header.apid}; only telemetry is decoded"
    rule = rules.of(header)
    if rule is None and header.apid == IDLE_APID:
        return "an idle packet, but not where one was bound to begin"
    if rule is None:
        return f"APID {header.apid}, which the definition does not have"
    return (
        f"APID {header.apid}, but it declares a data field of {header.data_octets:,}; "
        f"the definition takes {rule} bytes"
    )


# --- Words ----------------------------------------------------------------------------------------


def _range(offset: int, length: int) -> str:
    if length == 1:
        return f"byte {offset:,}"
    return f"bytes {offset:,} to {offset + length - 1:,} ({length:,} bytes)"


def _header_text(header: PrimaryHeader) -> str:
    octets = f"{header.packet_octets:,} bytes"
    return f"APID {header.apid}, sequence count {header.sequence_count}, {octets} declared"


def _span_text(span: Span) -> str:
    words = {
        Kind.PACKET: "a packet",
        Kind.LOST: "a packet that is not whole",
        Kind.OTHER: "a packet the definition does not have",
        Kind.IDLE: "an idle packet",
        Kind.FILL: "fill",
        Kind.SKIPPED: "no packet",
    }
    text = f"{_range(span.offset, span.length)}: {words[span.kind]}"
    return f"{text}, {_header_text(span.header)}" if span.header else text


def _rule_text(rule: PacketRule) -> str:
    crc = "a CRC-16 at the end" if rule.has_crc else "no CRC"
    return f"{rule} bytes behind the primary header, {crc}"


def _search_text(rules: StreamRules) -> str:
    known = [(f"APID {apid}", rule) for apid, rule in sorted(rules.by_apid.items())]
    if rules.any_apid is not None:
        known.append(("any APID", rules.any_apid))
    texts = []
    for name, rule in known[:_SHOWN_RULES]:
        proof = "a CRC that holds" if rule.has_crc else "another header behind it"
        texts.append(f"{name} with {rule} data bytes and {proof}")
    more = f"; and {len(known) - _SHOWN_RULES} more" if len(known) > _SHOWN_RULES else ""
    return "; ".join(texts) + more


def hex_lines(window: Window, offset: int) -> Iterator[str]:
    """Yield a small hex dump around an octet, which stands in brackets."""
    line = offset // _LINE_OCTETS * _LINE_OCTETS
    for start in range(
        max(line - _LINES_AROUND * _LINE_OCTETS, 0),
        line + (_LINES_AROUND + 1) * _LINE_OCTETS,
        _LINE_OCTETS,
    ):
        octets = window.get(start, start + _LINE_OCTETS)
        if octets and start >= window.base:
            yield f"{start:08x}  {_hex(octets, start, offset)}  {_ascii(octets)}"


def _hex(octets: bytes, start: int, marked: int) -> str:
    cells = "".join(
        f"[{octet:02x}]" if start + index == marked else f" {octet:02x} "
        for index, octet in enumerate(octets)
    )
    return (
        cells.replace("] ", "]").replace(" [", "[").replace("  ", " ").ljust(3 * _LINE_OCTETS + 1)
    )


def _ascii(octets: bytes) -> str:
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in octets)
