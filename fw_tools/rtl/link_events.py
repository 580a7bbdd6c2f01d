# SPDX-License-Identifier: Apache-2.0
"""The events of a payload: what each is called, and which register tells of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from fw_tools.rtl.registers import RAILS_PER_BITMAP, RegisterMap, elaborate_registers
from fw_tools.spec.records import Payload

HALF = 16  # Bits of half a register.
WHOLE_REGISTER = (1 << 32) - 1
STATUS_OFFSET = 0x18
CONTROL_UPSETS_OFFSET = 0x1C
STATE_UPSETS_OFFSET = 0x34
HALTED = 1 << 1


class Severity(IntEnum):
    """Message subtype of service 5 (ECSS-E-ST-70-41C 6.5.4)."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A register whose bits tell of an event when they change and are not zero."""

    offset: int  # Octets.
    mask: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEvent:
    """One event definition."""

    name: str
    id: int  # 16 bits.
    severity: Severity
    watch: Watch | None = None  # None: the program raises it itself.


# Raised by the program, in its own numbering.
PROGRAM_EVENTS = (
    LinkEvent(name="boot", id=1, severity=Severity.INFO),
    LinkEvent(name="line_error", id=2, severity=Severity.LOW),
    LinkEvent(name="line_break", id=3, severity=Severity.INFO),
    LinkEvent(name="frame_dropped", id=4, severity=Severity.LOW),
    LinkEvent(name="engine_corrected", id=5, severity=Severity.LOW),
    LinkEvent(name="engine_uncorrectable", id=6, severity=Severity.HIGH),
)
# Of the loader, where the flash has slots.
LOADER_EVENTS = (
    LinkEvent(name="slot_booted", id=7, severity=Severity.INFO),
    LinkEvent(name="slot_refused", id=8, severity=Severity.MEDIUM),
)
# What each alarm of the link raises, in the order of the ports.
ALARM_EVENTS = (
    *("line_error", "line_break", "frame_dropped", "frame_dropped", "frame_dropped"),
    *("engine_corrected", "engine_uncorrectable"),
)
_FIRST_MEMORY = 32
_EVENTS_PER_MEMORY = 4
_FIRST_LATE = 128
_FIRST_RAIL = 256


def link_events(payload: Payload) -> tuple[LinkEvent, ...]:
    """Return the events of `payload`, those of the program first; the place is the number."""
    registers = elaborate_registers(payload)
    return (
        *PROGRAM_EVENTS,
        *(LOADER_EVENTS if payload.link and payload.link.slot_octets else ()),
        _watched("control_upset", 17, Severity.LOW, CONTROL_UPSETS_OFFSET),
        *(_rail_events(payload, registers) if payload.rails else ()),
        *_memory_events(registers),
    )


def _watched(
    name: str, number: int, severity: Severity, offset: int, mask: int = WHOLE_REGISTER
) -> LinkEvent:
    watch = Watch(offset=offset, mask=mask)
    return LinkEvent(name=name, id=number, severity=severity, watch=watch)


def _rail_events(payload: Payload, registers: RegisterMap) -> Iterator[LinkEvent]:
    low, high = (1 << HALF) - 1, WHOLE_REGISTER >> HALF << HALF
    yield _watched("halted", 16, Severity.HIGH, STATUS_OFFSET, HALTED)
    yield _watched("state_upset_corrected", 18, Severity.LOW, STATE_UPSETS_OFFSET, low)
    yield _watched("state_upset_uncorrectable", 19, Severity.HIGH, STATE_UPSETS_OFFSET, high)
    words = {bitmap.name: bitmap.words for bitmap in registers.bitmaps}
    for number, word in enumerate(words["rails_late"]):
        yield _watched(word.name, _FIRST_LATE + number, Severity.LOW, word.offset)
    for number, rail in enumerate(payload.rails):
        word = words["rails_faulted"][number // RAILS_PER_BITMAP]
        mask = 1 << number % RAILS_PER_BITMAP
        name = f"fault_{rail.name}"
        yield _watched(name, _FIRST_RAIL + number, Severity.HIGH, word.offset, mask)


def _memory_events(registers: RegisterMap) -> Iterator[LinkEvent]:
    low, high = (1 << HALF) - 1, WHOLE_REGISTER >> HALF << HALF
    for number, memory in enumerate(registers.memories):
        first = _FIRST_MEMORY + _EVENTS_PER_MEMORY * number
        name, errors, scrub = memory.spec.name, memory.offset, memory.offset + 4
        yield _watched(f"{name}_corrected", first, Severity.LOW, errors, low)
        yield _watched(f"{name}_uncorrectable", first + 1, Severity.HIGH, errors, high)
        yield _watched(f"{name}_stuck", first + 2, Severity.MEDIUM, scrub, high)
