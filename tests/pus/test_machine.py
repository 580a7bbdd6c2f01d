# SPDX-License-Identifier: Apache-2.0
"""The reference machine: what is answered to what. Codes and orders are those of the standard and
of the mission's tables, written here by hand.
"""

import binascii
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from cobs import cobs
from reference_payload import (
    BUFFER,
    FLASH,
    FRAME_DROPPED,
    RAIL_TRIPPED,
    ROM,
    SCRATCH,
    ReferencePayload,
)
from spacepackets.ecss.tm import PusTm

from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import Telecommand, Telemetry, build_tc, crc16, parse_tm, with_crc

SOURCE = 0xA55A


def command(
    service: int, subtype: int, data: str | bytes = b"", *, count: int = 1, ack: Ack = Ack.ALL
) -> bytes:
    return build_tc(
        Telecommand(
            apid=66,
            sequence_count=count,
            service=service,
            subtype=subtype,
            source_id=SOURCE,
            ack=ack,
            data=bytes.fromhex(data) if isinstance(data, str) else data,
        )
    )


def reports(line: bytes) -> list[Telemetry]:
    """What went over the line; the `cobs` package undoes the frames."""
    return [parse_tm(cobs.decode(part)) for part in line.split(b"\0") if part]


def ask(payload: ReferencePayload, packet: bytes) -> list[Telemetry]:
    return reports(payload.machine.feed(encode_frame(packet)))


def told(found: list[Telemetry]) -> list[tuple[int, int, str]]:
    """Service, subtype and data behind the request ID, if it is verification."""
    return [
        (each.service, each.subtype, each.data[4 if each.service == 1 else 0 :].hex())
        for each in found
    ]


@pytest.fixture
def payload() -> ReferencePayload:
    return ReferencePayload()


def load(memory_id: int, address: int, content: bytes, *, checksum: int | None = None) -> bytes:
    crc = crc16(content) if checksum is None else checksum
    return (
        bytes([memory_id, 1])
        + address.to_bytes(4, "big")
        + len(content).to_bytes(2, "big")
        + content
        + crc.to_bytes(2, "big")
    )


# --- Verification ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ack", [Ack(flags) for flags in range(16)])
def test_success_is_reported_as_the_ack_flags_ask_with_the_answer_in_between(payload, ack) -> None:
    found = ask(payload, command(17, 1, ack=ack))
    expected = [(1, 1)] if ack & 8 else []
    expected += [(1, 3)] if ack & 4 else []
    expected += [(17, 2)]
    expected += [(1, 7)] if ack & 1 else []
    assert [each.kind for each in found] == expected
    assert all(each.destination_id == SOURCE for each in found)
    request = command(17, 1, ack=ack)[:4]
    assert all(each.data == request for each in found if each.service == 1)


@pytest.mark.parametrize("ack", [Ack.NONE, Ack.ALL])
def test_failure_is_reported_whatever_the_ack_flags_ask(payload, ack) -> None:
    found = ask(payload, command(8, 1, "0063", ack=ack))
    assert told(found)[-1] == (1, 8, "006000000063")
    assert [each.kind for each in found[:-1]] == ([(1, 1), (1, 3)] if ack else [])


def header(first: int, flags_and_count: int, rest: bytes) -> bytes:
    length = len(rest) + 2 - 1
    octets = first.to_bytes(2, "big") + flags_and_count.to_bytes(2, "big")
    return with_crc(octets + length.to_bytes(2, "big") + rest)


PING_REST = bytes([0x2D, 17, 1, 0xA5, 0x5A])


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        # Another APID; telemetry; no secondary header; version 1.
        (header(0x1843, 0xC001, PING_REST), (1, 10, "000100000043")),
        (header(0x0842, 0xC001, PING_REST), (1, 10, "000100000042")),
        (header(0x1042, 0xC001, PING_REST), (1, 10, "000100000042")),
        (header(0x3842, 0xC001, PING_REST), (1, 10, "000100000042")),
        # Segmented: first, continuation, last.
        (header(0x1842, 0x4001, PING_REST), (1, 2, "000500000001")),
        (header(0x1842, 0x0001, PING_REST), (1, 2, "000500000000")),
        (header(0x1842, 0x8001, PING_REST), (1, 2, "000500000002")),
        # PUS-A, and versions that nobody has.
        (header(0x1842, 0xC001, bytes([0x1D]) + PING_REST[1:]), (1, 2, "000400000001")),
        (header(0x1842, 0xC001, bytes([0x0D]) + PING_REST[1:]), (1, 2, "000400000000")),
        (header(0x1842, 0xC001, bytes([0xFD]) + PING_REST[1:]), (1, 2, "00040000000f")),
        # Services and subtypes that we have not.
        (command(2, 1), (1, 2, "000100000002")),
        (command(255, 255), (1, 2, "0001000000ff")),
        (command(17, 3), (1, 2, "000200000003")),
        (command(9, 3), (1, 2, "000200000003")),
        # Wrong lengths, each in octets of the packet.
        (command(17, 1, "00"), (1, 2, "00030000000e")),
        (command(8, 1, "00"), (1, 2, "00030000000e")),
        (command(20, 1, ""), (1, 2, "00030000000d")),
        (command(20, 1, "02 0000"), (1, 2, "000300000010")),
        (command(6, 2, "01 01 00000000 0002 aa 0000"), (1, 2, "000300000018")),
        (header(0x1842, 0xC001, PING_REST[:4]), (1, 2, "00030000000c")),
    ],
)
def test_a_packet_that_is_refused_is_answered_with_one_report(payload, packet, expected) -> None:
    found = ask(payload, packet)
    assert told(found) == [expected]
    assert found[0].data[:4] == packet[:4]
    assert found[0].destination_id == (SOURCE if len(packet) >= 13 else 0)


def test_of_several_mistakes_the_first_in_order_is_told(payload) -> None:
    worst = bytes([0x1D, 99, 99, 0xA5, 0x5A, 0])
    assert told(ask(payload, header(0x1843, 0x4001, worst)))[0][:2] == (1, 10)
    for flags, rest, code in (
        (0x4001, worst, "0005"),
        (0xC001, worst, "0004"),
        (0xC001, bytes([0x2D, 99, 99, 0, 0, 0]), "0001"),
        (0xC001, bytes([0x2D, 17, 99, 0, 0, 0]), "0002"),
        (0xC001, bytes([0x2D, 17, 1, 0, 0, 0]), "0003"),
    ):
        assert told(ask(payload, header(0x1842, flags, rest)))[0][2][:4] == code


def test_counts_run_per_apid_and_per_kind_and_wrap(payload) -> None:
    sender = payload.machine._sender
    sender._sequence_counts[66] = 0x3FF0
    sender._message_counts[17, 2] = 0xFFF0
    found = [
        each
        for number in range(32)
        for each in ask(payload, command(17, 1, count=(0x3FF0 + number) % 0x4000))
    ]
    counts = [each.sequence_count for each in found]
    assert counts == [*range(0x3FF0, 0x4000), *range(112)]
    answers = [each.message_count for each in found if each.kind == (17, 2)]
    assert answers == [*range(0xFFF0, 0x10000), *range(16)]
    assert [each.message_count for each in found if each.kind == (1, 7)] == list(range(32))


def test_spacepackets_reads_all_that_is_sent(payload) -> None:
    line = payload.machine.feed(
        encode_frame(command(17, 1)) + encode_frame(command(3, 27, "01 0001", count=2))
    )
    for part in (part for part in line.split(b"\0") if part):
        octets = cobs.decode(part)
        assert bytes(PusTm.unpack(octets, timestamp_len=7).pack()) == octets


# --- Repeats --------------------------------------------------------------------------------------


def test_a_repeat_is_answered_again_and_not_executed_twice(payload) -> None:
    packet = command(8, 1, "0001")
    first, second = ask(payload, packet), ask(payload, packet)
    assert told(first) == told(second) == [(1, 1, ""), (1, 3, ""), (1, 7, "")]
    assert payload.called[1] == 1


def test_a_repeat_tells_a_failure_again(payload) -> None:
    packet = command(8, 1, "0063", ack=Ack.NONE)
    expected = [(1, 8, "006000000063")]
    assert told(ask(payload, packet)) == told(ask(payload, packet)) == expected


def test_a_repeat_after_sixteen_others_is_a_new_command(payload) -> None:
    first = command(8, 1, "0001", count=100)
    ask(payload, first)
    for count in range(15):
        ask(payload, command(8, 1, "0002", count=count))
    ask(payload, first)
    assert payload.called[1] == 1
    ask(payload, command(8, 1, "0002", count=15))
    ask(payload, first)
    assert payload.called[1] == 2


def test_readings_and_refused_commands_take_no_room_among_the_repeats(payload) -> None:
    first = command(8, 1, "0001", count=100)
    ask(payload, first)
    for count in range(40):
        ask(payload, command(17, 1, count=count))
        ask(payload, command(17, 9, count=count))
    ask(payload, first)
    assert payload.called[1] == 1


def test_another_command_with_the_same_count_is_no_repeat(payload) -> None:
    ask(payload, command(8, 1, "0001"))
    ask(payload, command(8, 1, "0002"))
    other_source = replace(
        Telecommand(
            apid=66, sequence_count=1, service=8, subtype=1, source_id=7, ack=Ack.ALL,
            data=b"\0\1",
        )
    )  # fmt: skip
    ask(payload, build_tc(other_source))
    assert payload.called == {1: 2, 2: 1, 3: 0, 4: 0, 5: 0}


def test_a_reading_command_is_carried_out_again(payload) -> None:
    packet = command(20, 1, "01 0006")
    before = ask(payload, packet)
    ask(payload, command(20, 3, "01 0006 00000063", count=2))
    after = ask(payload, packet)
    assert told(before)[2] == (20, 2, "01000600000007")
    assert told(after)[2] == (20, 2, "01000600000063")


# --- Services -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "code", "value"),
    [
        (command(6, 5, "09 01 00000000 0001"), 32, 9),
        (command(6, 5, "01 00"), 33, 0),
        (command(6, 5, "01 02 00000000 0008 00000000 0008"), 33, 2),
        (command(6, 2, "01 00"), 33, 0),
        (command(6, 2, "01 02" + "00000000 0001 aa 0000" * 2), 33, 2),
        (command(6, 5, "02 01 00001fff 0002"), 34, 0x1FFF),
        (command(6, 5, "02 01 00002000 0001"), 34, 0x2000),
        (command(6, 5, "02 01 ffffffff 0001"), 34, 0xFFFFFFFF),
        (command(6, 129, "02 01 00000001 00002000"), 34, 1),
        (command(6, 129, "02 01 ffffffff ffffffff"), 34, 0xFFFFFFFF),
        (command(6, 5, "01 01 00000004 0008"), 35, 4),
        (command(6, 5, "01 01 00000008 0004"), 35, 4),
        (command(6, 2, load(BUFFER, 0, b"\xbe\xef", checksum=0)), 36, 0x2CCC),
        (command(6, 2, load(ROM, 0, bytes(4))), 37, ROM),
        (command(6, 2, load(0xE0, 0, bytes(12))), 37, 0xE0),
        (command(6, 5, "02 01 00000000 0000"), 40, 0),
        (command(6, 5, "02 01 00000000 0401"), 40, 0x401),
        (command(6, 9, "02 01 00000000 0401"), 40, 0x401),
        (command(6, 129, "02 01 00000000 00000000"), 40, 0),
        (command(6, 2, load(BUFFER, 0, b"")), 40, 0),
        (command(20, 1, "01 0001"), 48, 1),
        (command(20, 1, "01 0005"), 48, 5),  # It can only be written.
        (command(20, 3, "01 0001 00000000"), 48, 1),
        (command(20, 3, "01 0000 00000000"), 49, 0),
        (command(20, 3, "01 0006 00010000"), 50, 0x10000),
        (command(20, 1, "00"), 51, 0),
        (command(20, 1, b"\x21" + bytes(66)), 51, 33),
        (command(20, 3, "00"), 51, 0),
        (command(3, 27, "01 0002"), 64, 2),
        (command(3, 5, "01 ffff"), 64, 0xFFFF),
        (command(3, 27, "00"), 65, 0),
        (command(3, 5, "02 0001 0001"), 65, 2),
        (command(3, 31, "01 0001 00000009"), 66, 9),
        (command(5, 5, "01 0063"), 80, 0x63),
        (command(5, 6, "00"), 81, 0),
        (command(5, 6, b"\x11" + bytes(34)), 81, 17),
        (command(6, 128, "01 01 00000000 00001000"), 37, 1),
        (command(6, 128, "f0 01 00000800 00001000"), 35, 0x800),
        (command(6, 128, "f0 01 00001000 00000800"), 35, 0x800),
        (command(6, 128, "f0 01 00003000 00002000"), 34, 0x3000),
        (command(8, 1, "0000"), 96, 0),
        (command(9, 1, "09"), 113, 9),
        (command(9, 128, "1e 00000000 0000"), 112, 0x1E),
    ],
)
def test_a_failed_execution_tells_code_and_value(payload, packet, code, value) -> None:
    found = told(ask(payload, packet))
    assert found == [(1, 1, ""), (1, 3, ""), (1, 8, f"{code:04x}{value:08x}")]


def test_a_flash_is_erased_by_sectors_and_programmed_from_ones_to_zeros(payload) -> None:
    ask(payload, command(6, 2, load(FLASH, 0x1FF0, b"\x5a" * 32)))
    assert payload.memories[FLASH].content[0x1FF0:0x2010] == b"\x5a" * 32
    ask(payload, command(6, 2, load(FLASH, 0x2000, b"\xf0"), count=2))
    assert payload.memories[FLASH].content[0x2000] == 0x50
    assert told(ask(payload, command(6, 128, "f0 01 00002000 00001000", count=3)))[-1] == (1, 7, "")
    assert payload.memories[FLASH].content[0x1FF0:0x2010] == b"\x5a" * 16 + b"\xff" * 16


def test_memory_comes_back_as_it_was_written(payload) -> None:
    content = random.Random(1).randbytes(1024)
    assert told(ask(payload, command(6, 2, load(SCRATCH, 0xC00, content))))[-1] == (1, 7, "")
    assert payload.memories[SCRATCH].content[0xC00:] == content
    dump = told(ask(payload, command(6, 5, "01 01 00000c00 0400", count=2)))[2]
    assert dump == (6, 6, load(SCRATCH, 0xC00, content).hex())
    check = told(ask(payload, command(6, 9, "01 01 00000c00 0400", count=3)))[2]
    assert check == (6, 10, "010100000c000400" + f"{crc16(content):04x}")
    image = told(ask(payload, command(6, 129, "01 01 00000000 00001000", count=4)))[2]
    crc = binascii.crc32(bytes(0xC00) + content)
    assert image == (6, 130, "01010000000000001000" + f"{crc:08x}")


def test_an_uncorrectable_word_is_named_and_nothing_is_dumped(payload) -> None:
    payload.memories[SCRATCH].broken_words = {0x18, 0x20}
    found = told(ask(payload, command(6, 5, "01 01 00000010 0020")))
    assert found[2:] == [(1, 8, "002600000018")]
    ask(payload, command(6, 2, load(SCRATCH, 0x18, bytes(16)), count=2))
    assert told(ask(payload, command(6, 5, "01 01 00000010 0020")))[-1] == (1, 7, "")


def test_parameters_are_all_checked_before_the_first_is_set(payload) -> None:
    found = told(ask(payload, command(20, 3, "03 0004 00000066 0006 00000001 0000 00000000")))
    assert found[-1] == (1, 8, "003100000000")
    assert (payload.registers.read(4), payload.registers.read(6)) == (0x69, 7)
    ask(payload, command(20, 3, "02 0004 ffffff66 0006 00000001", count=2))
    assert (payload.registers.read(4), payload.registers.read(6)) == (0x66, 1)


def test_housekeeping_comes_when_asked_and_by_itself(payload) -> None:
    (report,) = [x for x in ask(payload, command(3, 27, "01 0001")) if x.service == 3]
    assert (report.kind, report.data.hex()) == ((3, 25), "000100000069")
    assert report.destination_id == 0x1234  # As described, not the source of the command.
    assert payload.advance(10) == b""
    ask(payload, command(3, 31, "01 0001 000001f4", count=2))
    ask(payload, command(3, 5, "01 0001", count=3))
    assert payload.advance(0.4999) == b""
    times = [each.seconds * 65536 + each.fraction for each in reports(payload.advance(0.0002))]
    times += [
        each.seconds * 65536 + each.fraction
        for _ in range(30)
        for each in reports(payload.advance(0.1))
    ]
    assert {later - earlier for earlier, later in pairwise(times)} <= {32768, 32769, 32770}
    ask(payload, command(3, 6, "01 0001", count=4))
    assert payload.advance(10) == b""


def test_an_event_is_reported_at_most_once_a_second_and_kept(payload) -> None:
    payload.uptime_units = 5 * 65536 + 0x8000
    (first,) = reports(payload.machine.event(RAIL_TRIPPED, 0xDEADBEEF))
    assert (first.kind, first.data.hex(), first.destination_id) == ((5, 4), "0002deadbeef", 0)
    for _ in range(3):
        assert payload.machine.event(RAIL_TRIPPED, 1) == b""
    assert payload.machine.events.lost == {RAIL_TRIPPED: 3}
    payload.advance(1)
    assert len(reports(payload.machine.event(RAIL_TRIPPED, 2))) == 1
    log = told(ask(payload, command(6, 5, "e0 01 00000000 0024")))[2][2]
    expected = "0002000000058000deadbeef000200000006800000000002" + "00" * 12
    assert log[16:-4] == expected


def test_a_disabled_event_is_kept_and_not_reported(payload) -> None:
    ask(payload, command(5, 6, "02 0002 0003"))
    assert payload.machine.event(RAIL_TRIPPED, 1) == b""
    assert payload.machine.events.log.content[:2] == b"\x00\x02"
    ask(payload, command(5, 5, "01 0002", count=2))
    payload.advance(1)
    assert len(reports(payload.machine.event(RAIL_TRIPPED, 1))) == 1


def test_the_event_log_keeps_the_last_64(payload) -> None:
    for number in range(70):
        payload.advance(1)
        payload.machine.event(RAIL_TRIPPED, number)
    log = payload.machine.events.log.content
    data = [int.from_bytes(log[at + 8 : at + 12], "big") for at in range(0, 768, 12)]
    assert data == [64, 65, 66, 67, 68, 69, *range(6, 64)]
    payload.machine.warm_reset()
    assert payload.machine.events.log.content == log


def test_functions_are_called(payload) -> None:
    for function in range(1, 6):
        ask(payload, command(8, 1, f"{function:04x}", count=function))
    assert set(payload.called.values()) == {1}


def test_a_warm_reset_starts_counts_anew_and_still_knows_repeats(payload) -> None:
    packet = command(8, 1, "0005")
    ask(payload, packet)
    payload.machine.warm_reset()
    found = ask(payload, packet)
    assert [each.sequence_count for each in found] == [0, 1, 2]
    assert payload.called[5] == 1


def test_the_time_is_set_and_wraps(payload) -> None:
    payload.advance(3)
    ask(payload, command(9, 128, "2e fffffffe 8000"))
    found = ask(payload, command(17, 1, count=2))[0]
    assert (found.seconds, found.fraction) == (0xFFFFFFFE, 0x8000)
    payload.advance(1.75)
    found = ask(payload, command(17, 1, count=3))[0]
    assert (found.seconds, found.fraction) == (0, 0x4000)


def test_a_time_report_is_sent_by_itself_with_apid_0() -> None:
    payload = ReferencePayload(time_report_rate=1)
    assert payload.advance(1.999) == b""
    (part,) = [part for part in payload.advance(0.001).split(b"\0") if part]
    octets = cobs.decode(part)
    assert octets[:-2].hex() == "0000c0000009012e000000020000"
    assert crc16(octets) == 0
    (part,) = [part for part in payload.advance(2).split(b"\0") if part]
    assert cobs.decode(part)[2:4].hex() == "c001"


# --- Damage ---------------------------------------------------------------------------------------


def test_a_dropped_frame_is_told_as_an_event_once_a_second(payload) -> None:
    broken = bytearray(encode_frame(command(17, 1)))
    broken[5] ^= 2
    (event,) = reports(payload.machine.feed(bytes(broken)))
    assert (event.kind, event.data.hex()) == ((5, 2), f"{FRAME_DROPPED:04x}00000001")
    assert payload.machine.feed(bytes(broken) * 9) == b""
    payload.advance(1)
    (event,) = reports(payload.machine.feed(bytes(broken)))
    assert event.data.hex() == f"{FRAME_DROPPED:04x}0000000b"
    assert sum(payload.machine.dropped.values()) == 11


@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_answers_do_not_depend_on_how_octets_come(chunk: int) -> None:
    rng = random.Random(5)
    line = b"".join(
        encode_frame(command(17, 1, count=number)) + rng.randbytes(rng.randrange(30))
        for number in range(50)
    )
    whole, pieces = ReferencePayload(), ReferencePayload()
    expected = whole.machine.feed(line)
    found = b"".join(
        pieces.machine.feed(line[at : at + chunk]) for at in range(0, len(line), chunk)
    )
    assert found == expected
    assert len(reports(expected)) > 50


def test_a_line_error_drops_the_frame_and_the_next_is_answered(payload) -> None:
    frame = encode_frame(command(17, 1))
    payload.machine.feed(frame[:4])
    payload.machine.line_error()
    found = reports(payload.machine.feed(frame[4:] + encode_frame(command(17, 1, count=2))))
    assert [each.kind for each in found] == [(5, 2), (1, 1), (1, 3), (17, 2), (1, 7)]
