# SPDX-License-Identifier: Apache-2.0
"""Telecommands over the serial line against a reference machine: right, wrong, repeated.

Configuration and top as of `link_payload`.
"""

import random
from typing import Any

import cocotb

from fw_tools.pus.commands import COMMANDS
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import SEQUENCE_MODULUS, crc16, with_crc
from hdl.tb.link_driver import CONTROL, Ground
from hdl.tb.link_payload import (
    ALL_ACKS,
    CONFIG,
    LINK,
    NO_MEMORY,
    ONE_SHOT,
    PING,
    STRUCTURE,
    LinkBench,
    area,
    load,
    set_word,
)

STABLE = (0, 2, 4)  # Registers that only the link changes.
RANDOM_COMMANDS = 50
NO_PARAMETER = b"\x3f\xff"


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def every_command_is_answered_as_the_reference_machine_does(dut):
    """Right, wrong and repeated commands, with every mix of acknowledgements."""
    bench = await LinkBench.start(dut)
    sent: list[bytes] = []
    for _ in range(RANDOM_COMMANDS):
        packet = random_packet(bench.ground, sent)
        sent.append(packet)
        await bench.exchange(packet)


def random_packet(ground: Ground, sent: list[bytes]) -> bytes:
    """Return a packet that is one of many kinds of right and wrong."""
    kind = random.choice([kind for kind in COMMANDS if kind not in (ONE_SHOT, (9, 1), (6, 128))])
    data = random_data(kind)
    ack = Ack(random.choice([0, 1, 4, 8, 13]))
    match random.randrange(12):
        case 0 if sent:
            return random.choice(sent[-20:])
        case 1:  # Another length.
            return ground.command(*kind, data + bytes(random.randint(1, 3)), ack=ack)
        case 2 if data:
            return ground.command(*kind, data[:-1], ack=ack)
        case 3:  # Nobody's.
            return ground.command(random.randrange(256), random.randrange(256), data, ack=ack)
        case 4:  # A bit of its headers.
            packet = bytearray(ground.command(*kind, data, ack=ack))
            packet[random.choice([0, 1, 2, 6])] ^= 1 << random.randrange(8)
            return with_crc(bytes(packet[:-2]))
        case 5:  # Too short to have a secondary header.
            short = random.randbytes(random.randint(0, 4))
            head = ground.command(*PING)[:4] + (len(short) + 1).to_bytes(2, "big")
            return with_crc(head + short)
    return ground.command(*kind, data, ack=ack)


def random_data(kind: tuple[int, int]) -> bytes:
    """Return application data that is right, or wrong only in a value."""
    number = random.choice([1, 1, 1, 0, 2, 17, 33])
    match kind:
        case (3, 31):
            interval = random.choice([9, 1000, 70_000]).to_bytes(4, "big")
            return bytes([number]) + (random_id([LINK["structure_id"]]) + interval) * number
        case (3, _):
            return bytes([number]) + random_id([LINK["structure_id"]]) * number
        case (5, _):
            known = [each["id"] for each in LINK["events"]]
            return bytes([number]) + b"".join(random_id(known) for _ in range(number))
        case (6, _):
            return random_area(kind[1], random.choice([1, 1, 1, 0, 2]))
        case (8, 1):
            return random.choice([1, 2, 3, 4, 6, 0x100]).to_bytes(2, "big")
        case (9, _):
            return bytes([random.choice([0x2E, 0x2E, 0x1E])]) + random.randbytes(6)
        case (20, 1):
            return bytes([number]) + b"".join(random_id(STABLE) for _ in range(number))
        case (20, 3):
            values = (random.choice([0x66, 0x69, 0x96, 0x166]) for _ in range(number))
            return bytes([number]) + b"".join(
                random_id([4, 4, 0]) + value.to_bytes(4, "big") for value in values
            )
    return b""


def random_area(subtype: int, count: int) -> bytes:
    """Return a memory, a number of areas and that many areas, right or wrong in one value."""
    memory = random.choice(CONFIG["memories"] or [NO_MEMORY])
    word = memory["word_octets"]
    length = random.choice([1, 2, 3, 5]) * word + random.choice([0, 0, 0, 0, 1])
    near_end = memory["octets"] - random.choice([1, 2, 8]) * word
    address = random.choice([0, 3 * word, near_end, near_end + 1, 1 << 31])
    head = bytes([random.choice([memory["id"]] * 5 + [0x77]), count])
    place = address.to_bytes(4, "big") + length.to_bytes(4 if subtype == 129 else 2, "big")
    if subtype != 2:
        return head + place * count
    words = (random.getrandbits(memory["data_bits"]).to_bytes(word, "big") for _ in range(6))
    data = b"".join(words)[:length].ljust(length, b"\0")
    checksum = crc16(data) ^ random.choice([0, 0, 0, 1])
    return head + (place + data + checksum.to_bytes(2, "big")) * count


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_command_that_cannot_be_is_refused(dut):
    """Segments, PUS-A, none or two where one is taken, no register, a refused value."""
    bench = await LinkBench.start(dut)
    for at, mask in ((2, 0x40), (2, 0x80), (2, 0xC0), (6, 0x30)):
        packet = bytearray(bench.ground.command(8, 1, b"\0\4"))
        packet[at] ^= mask
        await bench.exchange(with_crc(bytes(packet[:-2])))
    for number in (0, 2):
        for subtype, more in ((5, b""), (6, b""), (27, b""), (31, (1000).to_bytes(4, "big"))):
            await bench.ask(3, subtype, bytes([number]) + (STRUCTURE + more) * number)
    await bench.ask(20, 1, b"\1" + NO_PARAMETER)
    await bench.ask(20, 3, b"\1" + NO_PARAMETER + bytes(4))
    for value in (0x166, 0x8000_0069):  # Bits that the register has not.
        await bench.ask(20, 3, b"\1" + CONTROL.to_bytes(2, "big") + value.to_bytes(4, "big"))
    for memory in CONFIG["memories"] or [NO_MEMORY]:
        number, word = memory["id"], memory["word_octets"]
        for subtype in (5, 9):
            await bench.ask(6, subtype, bytes([number, 0]))
            await bench.ask(6, subtype, bytes([number, 2]) + area(number, 0, word)[2:] * 2)
            await bench.ask(6, subtype, area(number, memory["octets"] - word, 2 * word))
        before, after = bytes(word), bytes(word - 1) + b"\1"
        await bench.ask(6, 2, load(number, 0, before))
        await bench.ask(6, 2, load(number, 0, after)[:-2] + b"\xbe\xef")
        await bench.ask(6, 2, bytes([number, 2]) + load(number, 0, after)[2:] * 2)
        await bench.ask(6, 2, load(number, memory["octets"] - word, after * 2))
        await bench.ask(6, 5, area(number, 0, word))


def random_id(known: Any) -> bytes:
    """Return one of the known numbers, seldom another."""
    return random.choice([*known, *known, *known, 0x3FFF]).to_bytes(2, "big")


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_repeated_command_is_answered_again_and_not_carried_out(dut):
    """The last 16 are known, also after a warm reset; one older or changed is carried out."""
    bench = await LinkBench.start(dut)
    done = await bench.parameter("link.functions_done")
    packets = [bench.ground.command(8, 1, b"\0\3", ack=ALL_ACKS) for _ in range(17)]
    for packet in (*packets[:16], *packets[:16], packets[16]):
        await bench.exchange(packet)
    assert await bench.parameter("link.functions_done") == done + 17
    await bench.exchange(packets[0])
    assert await bench.parameter("link.functions_done") == done + 18
    assert await bench.parameter("link.repeated_commands") == 16


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def sequence_counts_wrap(dut):
    """From 16,383 to 0, of commands and of reports; no command is taken for another."""
    bench = await LinkBench.start(dut)
    done = await bench.parameter("link.functions_done")
    set_word(dut, "sequence_count", SEQUENCE_MODULUS - 4)
    bench.ground.sequence_count = SEQUENCE_MODULUS - 5
    bench.ground.next_count = SEQUENCE_MODULUS - 2
    for _ in range(4):
        await bench.ask(8, 1, b"\0\3", ack=ALL_ACKS)
    assert bench.ground.sequence_count == 7
    assert await bench.parameter("link.functions_done") == done + 4
