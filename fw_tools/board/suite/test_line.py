# SPDX-License-Identifier: Apache-2.0
"""A line that brings anything: nothing on it wedges the payload, and all of it is counted."""

import random
import time

import pytest

from fw_tools.board import PayloadClient
from fw_tools.board.bench import Bench
from fw_tools.board.probe import Probe, kinds
from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import MOST_PARAMETERS, Ack

COUNTERS = (
    *("bad_frames_count", "bad_lengths_count", "bad_checks", "no_room_count"),
    *("breaks_count", "line_errors_count"),
)


def counters(client: PayloadClient) -> dict[str, int]:
    """Return how often what was dropped, by cause."""
    names = {f"link.{name}": name for name in COUNTERS}
    return {names[name]: value for name, value in client.get_many(list(names)).items()}


def damaged(packet: bytes, at: int) -> bytes:
    """Return the packet with one bit inverted and its old CRC."""
    octets = bytearray(packet)
    octets[at] ^= 0x10
    return bytes(octets)


@pytest.mark.parametrize("cause", ["cobs", "crc", "length", "trailing zeros", "too long", "half"])
def test_what_is_no_packet_is_dropped_and_counted(
    client: PayloadClient, probe: Probe, cause: str
) -> None:
    """Each cause has its counter; nothing is answered and nothing done."""
    packet = probe.packet((8, 1), b"\0\3")
    octets, counter = {
        "cobs": (b"\0\x05ab\0", "bad_frames_count"),
        "crc": (encode_frame(damaged(packet, 12)), "bad_checks"),
        "length": (encode_frame(damaged(packet, 5)), "bad_lengths_count"),
        "trailing zeros": (encode_frame(packet + bytes(3)), "bad_lengths_count"),
        "too long": (encode_frame(bytes(1100)), "no_room_count"),
        "half": (encode_frame(packet)[:9], "bad_frames_count"),
    }[cause]
    before, done = counters(client), client.get("link.functions_done")
    probe.send(octets)
    assert not [each for each in probe.until_alive() if each.service not in (3, 5)]
    after = counters(client)
    assert after == before | {counter: before[counter] + 1}
    assert client.get("link.functions_done") == done


def test_empty_frames_are_nothing(client: PayloadClient, probe: Probe) -> None:
    """Any number of delimiters may stand between two frames."""
    before = counters(client)
    probe.send(bytes(300))
    assert not probe.until_alive()
    assert counters(client) == before


@pytest.mark.parametrize("seed", range(5))
def test_noise_does_not_stop_it(client: PayloadClient, probe: Probe, seed: int) -> None:
    """4,000 random octets, then a command."""
    probe.send(random.Random(seed).randbytes(4000))  # noqa: S311 (noise)
    probe.until_alive()
    done = client.get("link.functions_done")
    client.perform("clear_faults")
    assert client.get("link.functions_done") == done + 1


def test_a_host_that_stops_in_mid_command_may_go_on(client: PayloadClient, probe: Probe) -> None:
    """Half a frame, a pause, the other half: answered; half a frame and another: the other is."""
    frame = encode_frame(probe.packet((17, 1), ack=Ack.COMPLETION))
    probe.send(frame[:8])
    time.sleep(0.2)
    probe.send(frame[8:])
    assert kinds(probe.until_alive())[-2:] == [(17, 2), (1, 7)]
    probe.send(frame[:8])
    time.sleep(0.2)
    assert client.ping()


@pytest.mark.needs("break")
def test_a_break_is_counted_and_ends_the_frame(
    client: PayloadClient, probe: Probe, bench: Bench
) -> None:
    """What was in progress is dropped; the next frame is whole."""
    before = counters(client)["breaks_count"]
    probe.send(encode_frame(probe.packet((17, 1)))[:8])
    bench.client.link.transport.hold_break(0.01)
    assert not [each for each in probe.until_alive() if each.service not in (3, 5)]
    assert counters(client)["breaks_count"] == before + 1


@pytest.mark.needs("reset")
def test_a_reset_in_mid_report_leaves_a_line_that_works(
    client: PayloadClient, probe: Probe, bench: Bench
) -> None:
    """At several moments of long answers: the client has a damaged frame at most, then goes on."""
    many = bytes([MOST_PARAMETERS]) + b"\0\0" * MOST_PARAMETERS
    for number in range(1, 6):
        for _ in range(4 * number):
            probe.send(encode_frame(probe.packet((20, 1), many, ack=Ack.NONE)))
        dropped = client.link.frames_dropped
        bench.board.reset()
        probe.until_alive()
        assert client.link.frames_dropped - dropped <= 1
        assert client.get("control") == 0x69
