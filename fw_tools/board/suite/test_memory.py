# SPDX-License-Identifier: Apache-2.0
"""Memories: read, written, checked; and areas that are wrong."""

import binascii
import random

import pytest

from fw_tools.board import PayloadClient
from fw_tools.board.bench import Bench
from fw_tools.board.description import MemoryDescription
from fw_tools.board.exchange import CommandFailedError
from fw_tools.board.probe import Probe, kinds
from fw_tools.pus.identifiers import MemoryId
from fw_tools.pus.packets import crc16

MOST_OCTETS = 2048  # Of a memory, of which the rest is taken to be alike.
EVENT_LOG = bytes([MemoryId.EVENT_LOG])


@pytest.fixture
def memory(bench: Bench) -> MemoryDescription:
    """Return a memory that can be written and is no flash; skip where there is none."""
    for each in bench.client.description.memories:
        if each.is_writable and each.id != MemoryId.FLASH:
            return each
    pytest.skip(f"{bench.name}: no memory that can be written")


def octets_of(memory: MemoryDescription) -> int:
    """Return how much of it is tested: whole words."""
    return min(memory.octets, MOST_OCTETS // memory.word_octets * memory.word_octets)


@pytest.mark.needs("TC[6,5]", "TC[6,9]")
def test_every_memory_is_read_and_its_checksum_told(client: PayloadClient) -> None:
    """What TC[6,9] computes is the CRC of what TC[6,5] brings."""
    for memory in client.description.memories:
        octets = min(octets_of(memory), 1024 // memory.word_octets * memory.word_octets)
        content = client.read_memory(memory.name, 0, octets)
        if memory.id != MemoryId.EVENT_LOG:
            assert client.check_memory(memory.name, 0, octets) == crc16(content), memory.name


@pytest.mark.needs("TC[6,2]", "TC[6,5]")
def test_what_is_written_is_read_back(client: PayloadClient, memory: MemoryDescription) -> None:
    """Random words, twice, so that every bit is 0 and 1; then what was there before."""
    octets = octets_of(memory)
    before = client.read_memory(memory.name, 0, octets)
    content = random.Random(6).randbytes(octets)  # noqa: S311 (a pattern)
    for pattern in (content, bytes(octet ^ 0xFF for octet in content)):
        client.write_memory(memory.name, 0, pattern)
        assert client.read_memory(memory.name, 0, octets) == pattern
    client.write_memory(memory.name, 0, before)


@pytest.mark.needs("TC[6,5]", "TC[6,129]")
def test_the_crc_of_an_image_is_told(client: PayloadClient, memory: MemoryDescription) -> None:
    """CRC-32 as in Ethernet, by Python's own."""
    octets = octets_of(memory)
    content = client.read_memory(memory.name, 0, octets)
    assert client.image_crc32(memory.name, 0, octets) == binascii.crc32(content)


@pytest.mark.needs("TC[6,2]", "TC[6,5]")
def test_data_with_a_wrong_checksum_are_not_written(
    client: PayloadClient, probe: Probe, memory: MemoryDescription
) -> None:
    """TM[1,8] with the checksum that would be right."""
    before = client.read_memory(memory.name, 0, memory.word_octets)
    data = bytes(octet ^ 0xFF for octet in before)
    area = bytes([memory.id, 1]) + bytes(4) + len(data).to_bytes(2, "big") + data
    wrong = (crc16(data) ^ 1).to_bytes(2, "big")
    reports = probe.ask(probe.packet((6, 2), area + wrong))
    assert reports[-1].kind == (1, 8)
    assert reports[-1].data[4:] == (36).to_bytes(2, "big") + crc16(data).to_bytes(4, "big")
    assert client.read_memory(memory.name, 0, memory.word_octets) == before


@pytest.mark.needs("TC[6,5]")
def test_an_area_across_the_end_is_refused(client: PayloadClient) -> None:
    """One word more than there is, of every memory."""
    for memory in client.description.memories:
        last = memory.octets - memory.word_octets
        with pytest.raises(CommandFailedError) as raised:
            client.read_memory(memory.name, last, 2 * memory.word_octets)
        assert raised.value.failure.code == 34, memory.name


@pytest.mark.needs("TC[6,5]")
@pytest.mark.parametrize(
    ("memory_id", "length", "code"), [(0x7F, 4, 32), (MemoryId.EVENT_LOG, 0, 40)]
)
def test_what_is_no_area_is_refused(probe: Probe, memory_id: int, length: int, code: int) -> None:
    """An unknown memory, and no octets at all."""
    area = bytes([memory_id, 1]) + bytes(4) + length.to_bytes(2, "big")
    reports = probe.ask(probe.packet((6, 5), area))
    assert kinds(reports) == [(1, 1), (1, 3), (1, 8)]
    assert int.from_bytes(reports[-1].data[4:6], "big") == code


@pytest.mark.needs("TC[6,5]", "reset")
def test_events_are_kept_over_a_warm_reset(client: PayloadClient, probe: Probe) -> None:
    """The log can be dumped, and the boot is in it."""
    client.perform("warm_reset")
    probe.until_alive()
    assert "boot" in [event.name for event in client.event_log()]
