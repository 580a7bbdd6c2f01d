# SPDX-License-Identifier: Apache-2.0
"""The memories that the link reads and writes (service 6), as octets."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from fw_tools.ecc.records import MemorySpec
from fw_tools.pus.identifiers import EVENT_LOG_RECORD_OCTETS, EVENT_LOG_RECORDS, MemoryId
from fw_tools.spec.records import Payload

LOG_WORD_OCTETS = 4


class MemoryKind(IntEnum):
    """How the program gets at a memory."""

    GATE = 0
    LOG = 1
    FLASH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMemory:
    """One memory as the ground sees it."""

    name: str
    id: int
    octets: int
    word_octets: int  # Address and length of an area are multiples of it.
    kind: MemoryKind
    is_writable: bool


def link_memories(payload: Payload) -> tuple[LinkMemory, ...]:
    """Return the memories of `payload`: its own in order of description, the log, the flash."""
    return tuple(_memories(payload))


def _memories(payload: Payload) -> Iterator[LinkMemory]:
    for number, memory in enumerate(payload.memories, start=1):
        yield LinkMemory(
            name=memory.name,
            id=number,
            octets=memory.words * word_octets(memory),
            word_octets=word_octets(memory),
            kind=MemoryKind.GATE,
            is_writable=True,
        )
    yield LinkMemory(
        name="event_log",
        id=MemoryId.EVENT_LOG,
        octets=EVENT_LOG_RECORDS * EVENT_LOG_RECORD_OCTETS,
        word_octets=LOG_WORD_OCTETS,
        kind=MemoryKind.LOG,
        is_writable=False,
    )
    if payload.link is not None and payload.link.flash_octets:
        yield LinkMemory(
            name="flash",
            id=MemoryId.FLASH,
            octets=payload.link.flash_octets,
            word_octets=1,
            kind=MemoryKind.FLASH,
            is_writable=True,
        )


def word_octets(memory: MemorySpec) -> int:
    """Return the octets that a word takes: the power of two that holds its data bits."""
    return 1 << (-(-memory.data_bits // 8) - 1).bit_length()
