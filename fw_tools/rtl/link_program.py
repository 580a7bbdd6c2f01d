# SPDX-License-Identifier: Apache-2.0
"""The program of the link: one row of a table for each telecommand and message, and its routines.

A row names the routine that carries the command out; a new service is a row and a routine.
"""

from collections.abc import Iterator
from importlib import resources
from pathlib import PurePosixPath

from fw_tools.ecc import encode, hsiao
from fw_tools.errors import InputError
from fw_tools.pus.commands import COMMANDS, CommandRow
from fw_tools.pus.identifiers import MemoryId
from fw_tools.rtl.assembler import (
    INSTRUCTION_BITS,
    MAX_RAM_WORDS,
    OPERAND_BITS,
    Program,
    assemble,
)
from fw_tools.rtl.codec import codec_name, render_codec
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.link_events import ALARM_EVENTS, LinkEvent, link_events
from fw_tools.rtl.link_memories import link_memories
from fw_tools.rtl.render import header, render
from fw_tools.spec.profiles import Profile
from fw_tools.spec.records import LinkSpec, PacketSpec, Payload

SOURCES = (
    *("boot", "telemetry", "command", "verification"),
    *("test", "parameters", "housekeeping", "events", "time", "memory", "flash"),
)
LOADER = "loader"  # Of a payload whose flash has slots.
RESCUE = "rescue"  # Of one that is profile full besides.
TC_HEADER_OCTETS = 6 + 5  # Primary header, secondary header.
TC_OVERHEAD_OCTETS = TC_HEADER_OCTETS + 2  # And packet error control.
TM_HEADER_OCTETS = 6 + 7 + 7  # Primary header, secondary header, time.
TM_DATA_FIELD_OVERHEAD = 7 + 7 + 2  # Secondary header, time, packet error control.
DATA_LENGTH_BIAS = 1  # CCSDS 133.0-B 4.1.3.5.3: octets of the data field minus one.
WITH_SECONDARY_HEADER = 1 << 11
TELECOMMAND = 1 << 12
WORD_BITS = 16
# What survives a reset lies at the end of the RAM: repeats, and the log with what belongs to it.
LOG_ADDRESS = MAX_RAM_WORDS - 64 * 6
REPEATS_ADDRESS = LOG_ADDRESS - 16 * 5 - 3
BLOCK_RAM_WORDS = 256  # The shortest that an FPGA has of 16 bits.
FRAME_MARGIN = 24  # Delimiters, codes, and what the sender keeps free.
CONTROL_OFFSET, COMMAND_OFFSET = 0x10, 0x14
WRITABLE = ((CONTROL_OFFSET, 0x0000_00FF), (COMMAND_OFFSET, 0x0001_001F))  # Octets, bits.
SHORTEST_INTERVAL_MS = 10


MESSAGES = (
    *((1, 1), (1, 2), (1, 3), (1, 7), (1, 8), (1, 10)),
    *((3, 25), (5, 1), (5, 2), (5, 3), (5, 4)),
    *((6, 6), (6, 10), (6, 130), (17, 2), (20, 2)),
)
# The routine of each telecommand; what its length may be stands in `fw_tools.pus.commands`.
ROUTINES = {
    (3, 5): "housekeeping_enable",
    (3, 6): "housekeeping_disable",
    (3, 27): "housekeeping_one_shot",
    (3, 31): "housekeeping_set_interval",
    (5, 5): "events_enable",
    (5, 6): "events_disable",
    (6, 2): "memory_load",
    (6, 5): "memory_dump",
    (6, 9): "memory_checksum",
    (6, 128): "flash_erase",
    (6, 129): "memory_image",
    (8, 1): "functions_perform",
    (9, 1): "time_set_rate",
    (9, 128): "time_set_clock",
    (17, 1): "test_are_you_alive",
    (20, 1): "parameters_report",
    (20, 3): "parameters_set",
}
_ROW_WORDS = (
    *("services", "services_routine", "services_head", "services_item", "services_count"),
    *("services_reading", "services_has_data"),
)


def link_program(payload: Payload, rtl_digest: str) -> Program:
    """Return the assembled program of `payload`.

    `rtl_digest` (16 hex digits) is that of the gateware around it. `InputError` is raised when the
    payload has more events than the RAM holds.
    """
    folder = resources.files("hdl").joinpath("rtl/link/program")
    assert payload.link is not None
    names = [*SOURCES, *([LOADER] if payload.link.slot_octets else [])]
    names += [RESCUE] if has_rescue(payload) else []
    sources = {
        f"{name}.asm": folder.joinpath(f"{name}.asm").read_text(encoding="utf-8") for name in names
    }
    sources["tables"] = "\n".join(_tables(payload, rtl_digest))
    program = assemble(sources, _constants(payload, payload.link))
    if program.symbols["variables_end"] > REPEATS_ADDRESS:
        raise InputError(
            f"link: {len(link_events(payload))} events of rails and memories need "
            f"{program.symbols['variables_end']} words; there are {REPEATS_ADDRESS}"
        )
    return program


def has_rescue(payload: Payload) -> bool:
    """Tell whether `litex_term` may load the payload's slots."""
    link = payload.link
    return link is not None and bool(link.slot_octets) and payload.profile is Profile.FULL


def _constants(payload: Payload, link: LinkSpec) -> dict[str, int]:
    events = link_events(payload)
    return {
        **{f"message_{s}_{t}": number for number, (s, t) in enumerate(MESSAGES)},
        **{f"event_{event.name}": number for number, event in enumerate(events)},
        **_housekeeping_constants(payload.packets[0]),
        "message_count": len(MESSAGES),
        "event_count": len(events),
        "watch_count": sum(event.watch is not None for event in events),
        "tm_packet_id": WITH_SECONDARY_HEADER | payload.packets[0].apid,
        "tc_packet_id": TELECOMMAND | WITH_SECONDARY_HEADER | payload.packets[0].apid,
        "tm_overhead": TM_DATA_FIELD_OVERHEAD - DATA_LENGTH_BIAS,
        "tm_headers": TM_HEADER_OCTETS,
        "tc_overhead": TC_OVERHEAD_OCTETS,
        "event_room": TM_HEADER_OCTETS + 6 + 2 + FRAME_MARGIN,
        "row_words": len(_ROW_WORDS),
        "log": LOG_ADDRESS,
        "log_next": LOG_ADDRESS - 1,
        "log_magic": LOG_ADDRESS - 2,
        "repeat_next": LOG_ADDRESS - 3,
        "repeats": REPEATS_ADDRESS,
        "kept_words": MAX_RAM_WORDS - REPEATS_ADDRESS,
        "time_report_rate": link.time_report_rate,
        "flash_id": MemoryId.FLASH,
        "slot_blocks": link.slot_octets >> WORD_BITS,
        "last_block": max((link.slot_octets >> WORD_BITS) - 1, 0),
        "golden_blocks": link.slot_octets >> WORD_BITS,  # Slot 0.
        "slot_count": link.slot_count,
        "control_address": CONTROL_OFFSET // 4,
        "command_address": COMMAND_OFFSET // 4,
    }


def _housekeeping_constants(packet: PacketSpec) -> dict[str, int]:
    interval_ms = max(SHORTEST_INTERVAL_MS, packet.period_us // 1000)
    return {
        "housekeeping_interval_high": interval_ms >> WORD_BITS,
        "housekeeping_interval_low": interval_ms & 0xFFFF,
        "housekeeping_shortest": SHORTEST_INTERVAL_MS,
        "housekeeping_destination": packet.destination_id,
        "housekeeping_structure_id": packet.structure_id,
        "housekeeping_octets": packet.octets - TM_HEADER_OCTETS - 2,
        "housekeeping_room": packet.octets + FRAME_MARGIN,
    }


def _tables(payload: Payload, rtl_digest: str) -> Iterator[str]:
    yield "message_types:"
    for service, subtype in MESSAGES:
        yield f".word {service << 8 | subtype} ; TM[{service},{subtype}]"
    yield from (f".const {name} services+{place}" for place, name in enumerate(_ROW_WORDS) if place)
    yield "services:"
    for kind, routine in ROUTINES.items():
        yield from _service_row(COMMANDS[kind], routine)
    yield ".word 0 ; No more."
    yield from _event_tables(link_events(payload))
    yield "memories: ; ID, size, word, kind, may be written."
    for memory in link_memories(payload):
        yield f".word {memory.id} ; {memory.name}"
        yield f".word {memory.octets >> WORD_BITS}"
        yield f".word {memory.octets & 0xFFFF}"
        yield f".word {memory.word_octets - 1}"
        yield f".word {memory.kind.value}"
        yield f".word {int(memory.is_writable)}"
    yield ".word 0 ; No more."
    yield "writable: ; Parameter, bits that have to stay zero."
    for offset, bits in WRITABLE:
        yield f".word {offset // 4}"
        yield f".word {~bits >> WORD_BITS & 0xFFFF}"
        yield f".word {~bits & 0xFFFF}"
    yield ".word 0 ; No more."
    if payload.link and not payload.link.slot_octets:
        yield f"{LOADER}: ret"
    if not has_rescue(payload):
        yield f"{RESCUE}: ldi 0"
        yield "ret"
    yield "rtl_digest:"
    yield from (f".word 0x{rtl_digest[place : place + 4]}" for place in range(0, 16, 4))
    yield ".const program_last rtl_digest+3"


def _service_row(row: CommandRow, routine: str) -> Iterator[str]:
    yield f".word {row.service << 8 | row.subtype} ; TC[{row.service},{row.subtype}]"
    yield f".word {routine}"
    yield f".word {row.head_octets + TC_OVERHEAD_OCTETS}"
    yield f".word {row.item_octets}"
    yield f".word {TC_HEADER_OCTETS + (row.count_at or 0)}"
    yield f".word {int(row.is_reading)}"
    yield f".word {int(row.has_data)}"


def _event_tables(events: tuple[LinkEvent, ...]) -> Iterator[str]:
    yield "events: ; ID, message."
    for event in events:
        yield f".word {event.id} ; {event.name}"
        yield f".word message_5_{event.severity.value}"
    yield "alarm_events:"
    yield from (f".word event_{name}" for name in ALARM_EVENTS)
    yield "watches: ; Word address, mask, event."
    for number, event in enumerate(events):
        if event.watch:
            yield f".word {event.watch.offset // 4} ; {event.name}"
            yield f".word {event.watch.mask >> WORD_BITS}"
            yield f".word {event.watch.mask & 0xFFFF}"
            yield f".word {number}"


def program_module(payload: Payload) -> str:
    """Return the name of the module that holds the program."""
    return f"{payload.name}_program"


def render_link_program(
    payload: Payload, digest: str, program: Program
) -> tuple[GeneratedFile, ...]:
    """Return the module that holds the program, every word a codeword, and its codec."""
    code = hsiao(INSTRUCTION_BITS)
    module = program_module(payload)
    text = render(
        "program.sv.j2",
        head=header("//", digest, f"Program of the link of {payload.name}."),
        module=module,
        codec=codec_name(code),
        codeword_bits=code.codeword_bits,
        address_bits=(len(program.words) - 1).bit_length(),
        depth=-(-len(program.words) // BLOCK_RAM_WORDS) * BLOCK_RAM_WORDS,
        operand_bits=OPERAND_BITS,
        word_bits=INSTRUCTION_BITS,
        words=[(encode(code, word.value), word.text) for word in program.words],
    )
    codecs = (*render_codec(WORD_BITS), *render_codec(INSTRUCTION_BITS))  # The former of the RAM.
    return (*codecs, GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), text))
