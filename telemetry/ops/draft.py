# SPDX-License-Identifier: Apache-2.0
"""A first definition, written down from a survey, for people to go on with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from telemetry.ops.survey import PUS_OCTETS, ApidSurvey, Shape, Survey
from telemetry.wire.crc import CRC_OCTETS
from telemetry.wire.time_formats import CucFormat, parse_p_field

MAX_RUNS = 64  # Fields of one packet; short constant runs are joined until there are no more.
_MAX_SHOWN = 8  # Octets of a constant told in full.
_INTEGERS = {1: "Int8ub", 2: "Int16ub", 3: "Int24ub", 4: "Int32ub"}
_NAME = re.compile(r"\b(?:[A-Z][A-Za-z0-9]+|len_|this)\b")


@dataclass(frozen=True, slots=True)
class _Field:
    """One line of a definition."""

    name: str
    layout: str
    remark: str = ""

    def __str__(self) -> str:
        remark = f"  # {self.remark}" if self.remark else ""
        return f'    "{self.name}" / {self.layout},{remark}'


def render_definition(name: str, survey: Survey, how: str = "") -> str:
    """Return a Python file with one Struct for each APID, and PACKETS, which names them all.

    `how` are the options with which the dump was read. The definition decodes it: every length that
    was seen fits.
    """
    apids = sorted(survey.apids.items())
    structs = [_struct(apid, seen) for apid, seen in apids]
    used = sorted({"Struct"} | {word for text in structs for word in _words(text)})
    entries = "".join(f"    {apid}: APID_{apid},\n" for apid, _ in apids)
    head = (
        f'"""First definition of {_plain(name)}.\n\n'
        "Each Struct describes what follows the 6-byte primary header. Lengths, constants and CRC\n"
        "are what was seen. Split the Bytes into fields with names and types, then decode:\n\n"
        f'    fw-telemetry decode DUMP{how} --definition THIS_FILE.py:PACKETS\n"""\n\n'
    )
    imports = f"from construct import {', '.join(used)}\n"
    if len(imports) > 100:
        imports = "from construct import (\n" + "".join(f"    {word},\n" for word in used) + ")\n"
    return head + imports + "".join(structs) + "\nPACKETS = {\n" + entries + "}\n"


def _plain(name: str) -> str:
    """Return a file name as it may stand in a docstring."""
    shown = name.encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() and c not in '"\\' else "?" for c in shown)


def _words(text: str) -> Iterator[str]:
    code = "\n".join(line.partition("#")[0] for line in text.splitlines())
    code = re.sub(r'"[^"]*"', "", code)
    yield from (word for word in _NAME.findall(code) if not word.startswith("APID"))


def _struct(apid: int, seen: ApidSurvey) -> str:
    remarks = "".join(f"\n# {line}" for line in _remarks(apid, seen))
    fields = "".join(f"\n{field}" for field in _fields(seen))
    return f"\n{remarks.removeprefix(chr(10))}\nAPID_{apid} = Struct({fields}\n)\n"


def _remarks(apid: int, seen: ApidSurvey) -> Iterator[str]:
    every, shape = seen.every, seen.shape
    octets = f"{every.min_octets:,}"
    if not every.is_fixed:
        octets += f" to {every.max_octets:,}"
    packets = f"{every.packets:,} packet{'' if every.packets == 1 else 's'}"
    yield f"APID {apid}: {packets} with {octets} octets behind the primary header."
    if seen.has_crc and seen.checked.packets == every.packets:
        yield "The CRC-16 at the end holds in all of them."
    elif seen.has_crc:
        yield f"The CRC-16 at the end holds in {shape.packets:,} of them; the others are damaged."
    else:
        yield "They end in no CRC-16 that holds."
    if seen.is_pus:
        service = f" TM[{shape.first[1]},{shape.first[2]}]" if shape.is_constant(1, 3) else ""
        yield f"A PUS-C secondary header is likely{service} (ECSS-E-ST-70-41C 7.4.3.1)."
    elif seen.with_secondary_header:
        share = "all" if seen.with_secondary_header == every.packets else "some"
        yield f"The secondary header flag is set in {share} of them; it does not look like PUS-C."
    if every.packets == 1:
        yield "From one packet nobody can tell what is constant."


def _fields(seen: ApidSurvey) -> Iterator[_Field]:
    shape = seen.shape
    tail = CRC_OCTETS if seen.has_crc else 0
    at = 0
    if seen.is_pus:
        head = list(_pus_fields(shape))
        yield from (field for field, _ in head)
        at = sum(octets for _, octets in head)
    end = shape.min_octets - tail
    yield from _runs(shape, at, end)
    if not shape.is_fixed:
        more = f"0 to {shape.max_octets - shape.min_octets:,} octets more"
        if tail:
            yield _Field("_rest", "Peek(GreedyBytes)", "to see how much is left")
            yield _Field("rest", f"Bytes(len_(this._rest) - {tail})", more)
        else:
            yield _Field("rest", "GreedyBytes", more)
    if tail:
        yield _Field("packet_error_control", "Int16ub", "CRC-16 of the whole packet")


def _pus_fields(shape: Shape) -> Iterator[tuple[_Field, int]]:
    """Yield the fields of a PUS-C secondary header with their octets, and a CUC time."""
    yield _Field("pus", 'BitStruct("version" / Nibble, "time_reference_status" / Nibble)'), 1
    yield _Field("service_type", "Int8ub"), 1
    yield _Field("message_subtype", "Int8ub"), 1
    yield _Field("message_type_counter", "Int16ub"), 2
    yield _Field("destination_id", "Int16ub"), 2
    found = parse_p_field(shape.first[PUS_OCTETS : PUS_OCTETS + 1])
    if found is None or not isinstance(found[0], CucFormat):
        return
    time = found[0]
    octets = 1 + time.coarse_octets + time.fine_octets
    is_there = PUS_OCTETS + octets + CRC_OCTETS <= shape.min_octets
    if not is_there or not shape.is_constant(PUS_OCTETS, PUS_OCTETS + 1):
        return
    epoch = "agency epoch" if time.is_agency_epoch else "CCSDS epoch 1958, TAI"
    remark = f"always 0x{shape.first[PUS_OCTETS]:02x}: CUC, if this is a P-field; {epoch}"
    yield _Field("time_p_field", "Int8ub", remark), 1
    yield _Field("time_coarse", _INTEGERS[time.coarse_octets], "s"), time.coarse_octets
    if time.fine_octets:
        unit = f"2^-{8 * time.fine_octets} s"
        yield _Field("time_fine", _INTEGERS[time.fine_octets], unit), time.fine_octets


def _runs(shape: Shape, start: int, end: int) -> Iterator[_Field]:
    """Yield the octets `start .. end - 1` as runs that change, and runs that never do."""
    for first, last, is_constant in _cut(shape.constant()[:end], start):
        kind = "constant" if is_constant else "data"
        value = shape.first[first:last]
        shown = value[:_MAX_SHOWN].hex(" ") + (" ..." if len(value) > _MAX_SHOWN else "")
        remark = f"always {shown}" if is_constant else ""
        yield _Field(f"{kind}_{first}", f"Bytes({last - first})", remark)


def _cut(constant: list[bool], start: int) -> list[tuple[int, int, bool]]:
    """Return (first, end, is constant) of each run, at most `MAX_RUNS`, from `start` on."""
    shortest = 1
    while True:
        runs = _joined(constant, start, shortest)
        if len(runs) <= MAX_RUNS:
            return runs
        shortest *= 2


def _joined(constant: list[bool], start: int, shortest: int) -> list[tuple[int, int, bool]]:
    at, flags = start, list(constant)
    for is_constant, group in groupby(constant[start:]):
        size = len(list(group))
        if is_constant and size < shortest:
            flags[at : at + size] = [False] * size
        at += size
    runs, at = [], start
    for is_constant, group in groupby(flags[start:]):
        size = len(list(group))
        runs.append((at, at + size, is_constant))
        at += size
    return runs
