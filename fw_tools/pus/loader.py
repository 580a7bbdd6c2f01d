# SPDX-License-Identifier: Apache-2.0
"""The loader of a payload as a reference: which slot it boots, and what that does."""

import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain
from typing import Any

from fw_tools.pus.memories import FlashMemory, Memory
from fw_tools.pus.parameters import Registers
from fw_tools.pus.slots import (
    HEADER,
    LAST_ATTEMPT,
    MEMORY,
    PARAMETER,
    RECORDS,
    ImageKind,
    SlotHeader,
    SlotHeaderError,
    SlotLayout,
    read_header,
)

GOLDEN = 0


class Refusal(IntEnum):
    """Why a slot is left out: the lower half of the event's data."""

    HEADER = 2
    IMAGE = 3
    IDENTITY = 4
    CONTENT = 5
    NOT_LOADED = 6  # The FPGA does not load the bitstream, or that does not come up.


@dataclass(frozen=True, slots=True)
class BootReport:
    """What a boot came to: data of the events slot_booted and slot_refused, None for no event."""

    booted: int | None  # {slot, first 16 bits of the image's SHA-256}
    refused: int | None  # {a bit for each slot, the last reason}


@dataclass(frozen=True, kw_only=True)
class Loader:
    """What the loader sees of a payload."""

    layout: SlotLayout
    flash: FlashMemory
    registers: Registers
    memories: Mapping[int, Memory]
    identities: Mapping[int, int]  # By `ImageKind`, 64 bit each.
    warm_boot_slots: frozenset[int] = frozenset()  # Whose bitstream the FPGA can be made to load.
    warm_boots: list[int] = field(default_factory=list)  # Slots that it was asked to load.

    def boot(self, *, is_golden_wanted: bool, rescued: int = GOLDEN) -> BootReport:
        """Boot the best slot that can be booted; the golden one at last, or where it is wanted.

        `rescued` is a slot that goes before the others.
        """
        refused: dict[int, Refusal] = {}
        updates: Iterable[tuple[int, SlotHeader]] = ()
        if rescued != GOLDEN:
            updates = self._headers(range(rescued, rescued + 1), refused)
        elif not is_golden_wanted:
            updates = self._best_first(refused)
        golden = self._headers(range(GOLDEN, GOLDEN + 1), refused)
        for slot, header in chain(updates, golden):
            reason = self._start(slot, header)
            if reason is None:
                return _report(slot << 16 | int.from_bytes(header.digest[:2], "big"), refused)
            refused[slot] = reason
        return _report(None, refused)

    def _best_first(self, refused: dict[int, Refusal]) -> Iterator[tuple[int, SlotHeader]]:
        """Yield the update slots; of two with the same number the later one goes first."""
        found = list(self._headers(range(1, self.layout.count), refused))
        yield from sorted(found, key=lambda each: (each[1].sequence, each[0]), reverse=True)

    def _headers(
        self, slots: range, refused: dict[int, Refusal]
    ) -> Iterator[tuple[int, SlotHeader]]:
        for slot in slots:
            octets = self.flash.read(self.layout.header_at(slot), HEADER.sizeof())
            try:
                header = read_header(octets, self.layout)
            except SlotHeaderError:
                refused[slot] = Refusal.HEADER
                continue
            if header is not None:
                yield slot, header

    def _start(self, slot: int, header: SlotHeader) -> Refusal | None:
        if not self.can_start(slot, header):
            return Refusal.IDENTITY
        image = self.flash.read(self.layout.image_at(slot), header.length)
        if binascii.crc32(image) != header.crc32:
            return Refusal.IMAGE
        if header.kind == ImageKind.BITSTREAM:
            return self._start_bitstream(slot, header)
        return None if self._load(image) else Refusal.CONTENT

    def can_start(self, slot: int, header: SlotHeader) -> bool:
        """Tell whether the image is for what runs, or a bitstream that the FPGA can load."""
        is_loadable = header.kind == ImageKind.BITSTREAM and slot in self.warm_boot_slots
        return is_loadable or self.identities.get(header.kind) == header.identity

    def _start_bitstream(self, slot: int, header: SlotHeader) -> Refusal | None:
        """Note that it runs; or ask for it, as where an FPGA does not load it."""
        if slot not in self.warm_boot_slots:
            return None
        marks_at = self.layout.marks_at(slot)
        attempts, unproven = self.flash.read(marks_at, 2)
        if self.identities[header.kind] == header.identity:
            self.flash.write(marks_at + 1, b"\0")
            return None
        if unproven:
            if not attempts & LAST_ATTEMPT:
                return Refusal.NOT_LOADED
            self.flash.write(marks_at, bytes([attempts << 1 & 0xFF]))
        self.warm_boots.append(slot)
        return Refusal.NOT_LOADED

    def _load(self, image: bytes) -> bool:
        """Carry out the records up to the first that cannot be; tell whether all were."""
        done = 0
        for record in RECORDS.parse(image):
            if record.type == PARAMETER and self._may_set(record.parameter_id, record.value):
                self.registers.write(record.parameter_id, record.value)
            elif record.type == MEMORY and self._may_write(record):
                self.memories[record.memory_id].write(record.value, record.data)
            else:
                return False
            done += len(RECORDS.build([record]))
        return done == len(image)

    def _may_set(self, parameter_id: int, value: int) -> bool:
        is_writable = "w" in self.registers.access(parameter_id)
        return is_writable and not self.registers.refuses(parameter_id, value)

    def _may_write(self, record: Any) -> bool:
        memory = self.memories.get(record.memory_id)
        address, length = record.value, record.length
        if memory is None or isinstance(memory, FlashMemory) or not length:
            return False
        is_whole = address % memory.word_octets == 0 and length % memory.word_octets == 0
        return bool(is_whole and address + length <= memory.octets)


def _report(booted: int | None, refused: Mapping[int, Refusal]) -> BootReport:
    bits = sum(1 << slot for slot in refused)
    last = list(refused.values())[-1] if refused else 0
    return BootReport(booted, bits << 16 | last if refused else None)
