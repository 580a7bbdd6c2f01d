# SPDX-License-Identifier: Apache-2.0
"""Boot slots of a payload's flash: what a slot holds, as octets.

A slot is a stretch of the flash of equal size; slot 0 is the golden one. Its image lies at its
beginning, its header in its last sector, which is written last and erased first: a slot that was
not finished has none. Two octets behind the header are the gateware's marks of a bitstream: the
attempts to have the FPGA load it, a bit cleared for each, and whether it has run, 0 then.
"""

import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from construct import Bytes, Const, GreedyRange, If, Int8ub, Int16ub, Int32ub, Int64ub, Struct, this

from fw_tools.pus.identifiers import FLASH_SECTOR_OCTETS
from fw_tools.pus.packets import crc16

ERASE_BLOCK_OCTETS = 1 << 16
MOST_SLOTS = 15
MAGIC = b"FWS1"
PARAMETER, MEMORY = 1, 2  # Types of records.
DIGEST_OCTETS = 6
LAST_ATTEMPT = 1 << 2  # The bit that the third one clears.
_FILE_HEAD_OCTETS = 32 + 32

HEADER = Struct(
    "magic" / Const(MAGIC),
    "kind" / Int16ub,
    "sequence" / Int16ub,
    "identity" / Int64ub,
    "length" / Int32ub,
    "crc32" / Int32ub,
    "digest" / Bytes(DIGEST_OCTETS),
    "checksum" / Int16ub,
)
HEADER_OCTETS: int = HEADER.sizeof()
RECORD = Struct(
    "type" / Int8ub,
    "memory_id" / Int8ub,
    "parameter_id" / Int16ub,
    "value" / Int32ub,  # Or the address in the memory.
    "length" / If(this.type == MEMORY, Int32ub),
    "data" / If(this.type == MEMORY, Bytes(this.length)),
)
RECORDS = GreedyRange(RECORD)


class ImageKind(IntEnum):
    """What the image of a slot is, and what its identity is compared with."""

    RECORDS = 1  # Parameters and memories; the digest of the gateware.
    BITSTREAM = 2  # The build identity.


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotHeader:
    """What a header tells of its slot."""

    kind: int  # `ImageKind`, where it is one that is known.
    sequence: int  # 16 bit; the highest is tried first.
    identity: int  # 64 bit
    length: int  # Octets of the image.
    crc32: int
    digest: bytes  # The first octets of the image's SHA-256.


@dataclass(frozen=True, slots=True)
class SlotLayout:
    """How a flash is divided."""

    slot_octets: int
    count: int

    @property
    def room(self) -> int:
        """The longest image, in octets."""
        return self.slot_octets - FLASH_SECTOR_OCTETS

    def image_at(self, slot: int) -> int:
        """Return the address of a slot's image."""
        return slot * self.slot_octets

    def header_at(self, slot: int) -> int:
        """Return the address of a slot's header."""
        return (slot + 1) * self.slot_octets - FLASH_SECTOR_OCTETS

    def marks_at(self, slot: int) -> int:
        """Return the address of a slot's marks."""
        return self.header_at(slot) + HEADER_OCTETS


class SlotHeaderError(ValueError):
    """A header begins as one but is damaged."""


def build_header(image: bytes, kind: ImageKind, sequence: int, identity: int) -> bytes:
    """Return the header of an image, 32 octets."""
    fields: dict[str, Any] = {
        "kind": kind,
        "sequence": sequence,
        "identity": identity,
        "length": len(image),
        "crc32": binascii.crc32(image),
        "digest": hashlib.sha256(image).digest()[:DIGEST_OCTETS],
        "checksum": 0,
    }
    octets: bytes = HEADER.build(fields)
    return octets[:-2] + crc16(octets[:-2]).to_bytes(2, "big")


def read_header(octets: bytes, layout: SlotLayout) -> SlotHeader | None:
    """Return what a header tells; None where there is none.

    Raises `SlotHeaderError` where the CRC-16 does not hold, or the image would not fit.
    """
    octets = octets[: HEADER.sizeof()]
    if octets[: len(MAGIC)] != MAGIC:
        return None
    if crc16(octets) != 0:  # A CRC over what ends in its own.
        raise SlotHeaderError("the CRC-16 of the header does not hold")
    found = HEADER.parse(octets)
    if not 0 < found.length <= layout.room:
        raise SlotHeaderError(f"an image of {found.length} octets does not fit into the slot")
    return SlotHeader(
        kind=found.kind,
        sequence=found.sequence,
        identity=found.identity,
        length=found.length,
        crc32=found.crc32,
        digest=found.digest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What goes into a slot, whichever."""

    octets: bytes
    kind: ImageKind
    identity: int  # 64 bit

    def header(self, sequence: int) -> bytes:
        """Return its header, 32 octets."""
        return build_header(self.octets, self.kind, sequence, self.identity)


class ImageFileError(ValueError):
    """A file is no image, or a damaged one."""


def build_image_file(image: Image) -> bytes:
    """Return an image as a file: a header with the sequence number 0, SHA-256, the octets."""
    return image.header(0) + hashlib.sha256(image.octets).digest() + image.octets


def read_image_file(octets: bytes) -> Image:
    """Return the image of a file. Raises `ImageFileError`."""
    head, image = octets[:_FILE_HEAD_OCTETS], octets[_FILE_HEAD_OCTETS:]
    header, digest = head[: HEADER.sizeof()], head[HEADER.sizeof() :]
    if not head.startswith(MAGIC):
        raise ImageFileError("no image for a boot slot: it does not begin with FWS1")
    if len(head) < _FILE_HEAD_OCTETS or crc16(header) != 0:
        raise ImageFileError("the header of the image is damaged")
    found = HEADER.parse(header)
    if len(image) != found.length:
        raise ImageFileError(f"the image has {len(image)} octets; its header says {found.length}")
    if hashlib.sha256(image).digest() != digest:
        raise ImageFileError("the SHA-256 of the image does not hold")
    if found.kind not in list(ImageKind):
        raise ImageFileError(f"an image of kind {found.kind}, which is none that is known here")
    return Image(octets=image, kind=ImageKind(found.kind), identity=found.identity)


def build_records(
    parameters: Mapping[int, int], memories: Iterable[tuple[int, int, bytes]]
) -> bytes:
    """Return an image: values of parameters by their IDs, and (memory ID, address, octets)."""
    records: list[dict[str, Any]] = [
        {"type": PARAMETER, "memory_id": 0, "parameter_id": number, "value": value}
        for number, value in parameters.items()
    ]
    for memory_id, address, data in memories:
        place = {"memory_id": memory_id, "parameter_id": 0, "value": address}
        records.append({"type": MEMORY, "length": len(data), "data": data, **place})
    image: bytes = RECORDS.build([{"length": None, "data": None} | each for each in records])
    return image
