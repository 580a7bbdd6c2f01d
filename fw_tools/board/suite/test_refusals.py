# SPDX-License-Identifier: Apache-2.0
"""Whole packets that are wrong: each gets its failure report, and changes nothing."""

import pytest

from fw_tools.board import PayloadClient
from fw_tools.board.probe import Probe, kinds
from fw_tools.pus.packets import with_crc

CLEAR_COUNTERS = b"\0\4"


def changed(packet: bytes, at: int, mask: int) -> bytes:
    """Return the packet with bits inverted and its CRC right."""
    octets = bytearray(packet)
    octets[at] ^= mask
    return with_crc(bytes(octets[:-2]))


def failure(code: int, value: int) -> bytes:
    """Return code and value as a failure report has them."""
    return code.to_bytes(2, "big") + value.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("at", "mask", "kind", "code", "value"),
    [
        (1, 0x01, (1, 10), 1, None),
        (0, 0x10, (1, 10), 1, None),
        (0, 0x08, (1, 10), 1, None),
        (0, 0x20, (1, 10), 1, None),
        (2, 0x40, (1, 2), 5, 2),
        (2, 0x80, (1, 2), 5, 1),
        (2, 0xC0, (1, 2), 5, 0),
        (6, 0x30, (1, 2), 4, 1),
    ],
    ids=[
        *("another APID", "telemetry", "no secondary header", "packet version"),
        *("first segment", "last segment", "middle segment", "PUS-A"),
    ],
)
def test_a_header_that_is_not_ours_is_refused(
    client: PayloadClient,
    probe: Probe,
    at: int,
    mask: int,
    kind: tuple[int, int],
    code: int,
    value: int | None,
) -> None:
    """One report, of the right kind, with the offending value; nothing is done."""
    done = client.get("link.functions_done")
    packet = changed(probe.packet((8, 1), CLEAR_COUNTERS), at, mask)
    (report,) = probe.ask(packet)
    assert report.kind == kind
    if value is None:
        value = int.from_bytes(packet[:2], "big") & 0x7FF
    assert report.data == packet[:4] + failure(code, value)
    assert client.get("link.functions_done") == done


@pytest.mark.parametrize(
    ("kind", "data", "code", "value"),
    [
        ((99, 1), b"", 1, 99),
        ((17, 99), b"", 2, 99),
        ((17, 1), b"\0", 3, 14),
        ((8, 1), b"\0", 3, 14),
        ((3, 27), b"\2\0\1", 3, 16),
    ],
    ids=("service", "subtype", "too long", "too short", "N that does not fit"),
)
def test_a_command_that_is_not_on_offer_is_refused(
    probe: Probe, kind: tuple[int, int], data: bytes, code: int, value: int
) -> None:
    """TM[1,2] with the code and what was wrong."""
    packet = probe.packet(kind, data)
    (report,) = probe.ask(packet)
    assert report.kind == (1, 2)
    assert report.data == packet[:4] + failure(code, value)


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize(
    ("kind", "head", "item", "code"),
    [
        ((3, 5), b"", b"\0\1", 65),
        ((3, 6), b"", b"\0\1", 65),
        ((3, 27), b"", b"\0\1", 65),
        ((3, 31), b"", b"\0\1\0\0\x03\xe8", 65),
        pytest.param((6, 5), b"\xe0", bytes(4) + b"\0\x0c", 33, marks=pytest.mark.needs("TC[6,5]")),
        pytest.param((6, 9), b"\xe0", bytes(4) + b"\0\x0c", 33, marks=pytest.mark.needs("TC[6,9]")),
    ],
    ids=["3,5", "3,6", "3,27", "3,31", "6,5", "6,9"],
)
def test_none_and_two_are_not_one(
    probe: Probe, number: int, kind: tuple[int, int], head: bytes, item: bytes, code: int
) -> None:
    """N=0 and N=2 where one is taken: TM[1,8] with N."""
    data = head + bytes([number]) + item * number
    reports = probe.ask(probe.packet(kind, data))
    assert kinds(reports) == [(1, 1), (1, 3), (1, 8)]
    assert reports[-1].data[4:] == failure(code, number)


@pytest.mark.parametrize("number", [0, 17])
def test_a_number_of_events_out_of_range_is_refused(probe: Probe, number: int) -> None:
    """1 to 16 in one command."""
    reports = probe.ask(probe.packet((5, 5), bytes([number]) + b"\0\1" * number))
    assert reports[-1].kind == (1, 8)
    assert reports[-1].data[4:] == failure(81, number)


@pytest.mark.parametrize(
    ("kind", "data", "code", "value"),
    [
        ((3, 5), b"\1\x7f\xff", 64, 0x7FFF),
        ((3, 31), b"\1\0\1\0\0\0\x09", 66, 9),
        ((5, 6), b"\1\x7f\xff", 80, 0x7FFF),
        ((9, 128), b"\x1e" + bytes(6), 112, 0x1E),
        ((20, 1), b"\1\x3f\xff", 48, 0x3FFF),
    ],
    ids=("structure", "interval", "event", "time code", "parameter"),
)
def test_what_does_not_exist_is_refused(
    probe: Probe, kind: tuple[int, int], data: bytes, code: int, value: int
) -> None:
    """TM[1,8] with the code and the offending value."""
    reports = probe.ask(probe.packet(kind, data))
    assert kinds(reports) == [(1, 1), (1, 3), (1, 8)]
    assert reports[-1].data[4:] == failure(code, value)
