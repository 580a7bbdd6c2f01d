# SPDX-License-Identifier: Apache-2.0
"""Service 6, memories: load, dump, check (ECSS-E-ST-70-41C 6.6), and CRC-32 of an image."""

import binascii
from collections.abc import Mapping
from typing import Protocol

from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS
from fw_tools.pus.failures import ExecutionFailure
from fw_tools.pus.identifiers import FLASH_SECTOR_OCTETS, LONGEST_AREA
from fw_tools.pus.packets import crc16
from fw_tools.pus.service import Answer, NotExecutedError

LOAD, DUMP, CHECK, ERASE, CHECK_IMAGE = 2, 5, 9, 128, 129
LONG_AREAS = (ERASE, CHECK_IMAGE)


class Memory(Protocol):
    """A memory as the service sees it: octets in whole words."""

    @property
    def octets(self) -> int:
        """Its size."""
        ...

    @property
    def word_octets(self) -> int:
        """Octets of a word: addresses and lengths are multiples of it."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether TC[6,2] may write to it."""
        ...

    def read(self, address: int, length: int) -> bytes:
        """Return the octets of whole words.

        Raises `NotExecutedError` (`UNCORRECTABLE`, `FLASH_NOT_READY`).
        """
        ...

    def write(self, address: int, data: bytes) -> None:
        """Write whole words. Raises `NotExecutedError` (`FLASH_NOT_READY`)."""
        ...


class PlainMemory:
    """A memory of octets. A word can be made uncorrectable, as two flips would."""

    def __init__(self, octets: int, word_octets: int, *, is_writable: bool = True) -> None:
        self.content = bytearray(octets)
        self.word_octets = word_octets
        self.is_writable = is_writable
        self.broken_words: set[int] = set()  # Their addresses.

    @property
    def octets(self) -> int:
        """Its size."""
        return len(self.content)

    def read(self, address: int, length: int) -> bytes:
        """Return octets; the first uncorrectable word among them is told."""
        words = range(address, address + length, self.word_octets)
        for word in words:
            if word in self.broken_words:
                raise NotExecutedError(ExecutionFailure.UNCORRECTABLE, word)
        return bytes(self.content[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        """Write octets; a word written anew is a good one."""
        self.content[address : address + len(data)] = data
        self.broken_words -= set(range(address, address + len(data), self.word_octets))


class FlashMemory(PlainMemory):
    """A flash: writing clears bits, only erasing a sector sets them.

    Areas that begin in its first `golden_octets` are changed only while `is_golden_open`.
    """

    def __init__(self, octets: int, golden_octets: int = 0) -> None:
        super().__init__(octets, 1)
        self.content[:] = b"\xff" * octets
        self.is_golden_open = False
        self._golden_octets = golden_octets

    def require_open(self, address: int) -> None:
        """Raise `NotExecutedError` (`PROTECTED`) where nothing may be changed."""
        if address < self._golden_octets and not self.is_golden_open:
            raise NotExecutedError(ExecutionFailure.PROTECTED, address)

    def write(self, address: int, data: bytes) -> None:
        """Program octets."""
        for place, octet in enumerate(data, start=address):
            self.content[place] &= octet

    def erase(self, address: int, length: int) -> None:
        """Erase whole sectors."""
        self.content[address : address + length] = b"\xff" * length


class MemoryService:
    """Service 6 on a set of memories by their IDs."""

    def __init__(self, memories: Mapping[int, Memory]) -> None:
        self._memories = memories

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[6,2], TC[6,5], TC[6,9], TC[6,128] or TC[6,129] on its one area."""
        memory_id, count = data[0], data[1]
        memory = self._memories.get(memory_id)
        if memory is None:
            raise NotExecutedError(ExecutionFailure.UNKNOWN_MEMORY, memory_id)
        if count != 1:
            raise NotExecutedError(ExecutionFailure.NOT_ONE_AREA, count)
        if subtype == ERASE and not isinstance(memory, FlashMemory):
            raise NotExecutedError(ExecutionFailure.NOT_WRITABLE, memory_id)
        (area,) = TELECOMMANDS[6, subtype].parse(data).areas
        _check_area(memory, area.address, area.length, is_long=subtype in LONG_AREAS)
        if isinstance(memory, FlashMemory) and subtype == ERASE:
            _erase(memory, area.address, area.length)
            return ()
        if subtype == LOAD:
            _load(memory_id, memory, area.address, area.data, area.checksum)
            return ()
        return (_answer(subtype, memory_id, memory, area.address, area.length),)


def _check_area(memory: Memory, address: int, length: int, *, is_long: bool) -> None:
    if length == 0 or (length > LONGEST_AREA and not is_long):
        raise NotExecutedError(ExecutionFailure.WRONG_AREA_LENGTH, length)
    for value in (address, length):
        if value % memory.word_octets:
            raise NotExecutedError(ExecutionFailure.NOT_ALIGNED, value)
    if address + length > memory.octets:
        raise NotExecutedError(ExecutionFailure.PAST_END, address)


def _erase(memory: FlashMemory, address: int, length: int) -> None:
    for value in (address, length):
        if value % FLASH_SECTOR_OCTETS:
            raise NotExecutedError(ExecutionFailure.NOT_ALIGNED, value)
    memory.require_open(address)
    memory.erase(address, length)


def _load(memory_id: int, memory: Memory, address: int, data: bytes, checksum: int) -> None:
    if not memory.is_writable:
        raise NotExecutedError(ExecutionFailure.NOT_WRITABLE, memory_id)
    if isinstance(memory, FlashMemory):
        memory.require_open(address)
    if checksum != crc16(data):
        raise NotExecutedError(ExecutionFailure.WRONG_CHECKSUM, crc16(data))
    memory.write(address, data)


def _answer(subtype: int, memory_id: int, memory: Memory, address: int, length: int) -> Answer:
    content = memory.read(address, length)
    area = {"address": address, "length": length, "data": content, "checksum": crc16(content)}
    kind = (6, subtype + 1)
    if subtype == CHECK_IMAGE:
        area |= {"crc": binascii.crc32(content)}
    return Answer(kind, REPORTS[kind].build({"memory_id": memory_id, "areas": [area]}))
