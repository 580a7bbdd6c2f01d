# SPDX-License-Identifier: Apache-2.0
"""What comes without being asked for: housekeeping and events; and the payload's time."""

import time
from collections.abc import Callable

import pytest

from fw_tools.board import PayloadClient
from fw_tools.board.bench import Bench
from fw_tools.board.client import time_of
from fw_tools.board.probe import Probe, kinds
from fw_tools.board.pytest_plugin import Measure
from fw_tools.pus.identifiers import MOST_PARAMETERS, Ack
from fw_tools.pus.packets import Telemetry

PATIENCE_S = 60.0  # A twin on a busy machine is slow.
HOUSEKEEPING = (3, 25)
TICK_S = 2**-16


def next_reports(client: PayloadClient, kind: tuple[int, int], number: int) -> list[Telemetry]:
    """Return the next reports of a kind; fewer when they do not come in time."""
    found: list[Telemetry] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < number and time.monotonic() < deadline:
        found += [each for each in client.link.receive(deadline) if each.kind == kind]
    return found[:number]


def events_told(client: PayloadClient, reports: list[Telemetry], name: str) -> list[int]:
    """Return the data of the events of that name among reports."""
    number = client.description.event(name).id.to_bytes(2, "big")
    return [
        int.from_bytes(report.data[2:], "big")
        for report in reports
        if report.service == 5 and report.data[:2] == number
    ]


def test_housekeeping_is_reported_once_when_asked(client: PayloadClient) -> None:
    """TC[3,27] leads to one report of the structure."""
    assert client.housekeeping().structure_id == client.description.structure_id


@pytest.mark.parametrize("interval_ms", [10, 15])
def test_housekeeping_comes_at_its_interval_until_it_is_switched_off(
    client: PayloadClient, probe: Probe, measure: Measure, interval_ms: int
) -> None:
    """By the time stamps of the reports; the interval may be off by a millisecond."""
    client.set_housekeeping(interval_s=interval_ms / 1000, is_enabled=True)
    reports = next_reports(client, HOUSEKEEPING, 4)
    client.set_housekeeping(is_enabled=False)
    probe.until_alive()
    assert len(reports) == 4
    took_ms = (time_of(reports[-1]) - time_of(reports[1])) * 1000
    measure("interval", took_ms / 2, "ms", least=interval_ms - 0.5, most=interval_ms + 0.5)
    assert HOUSEKEEPING not in kinds(probe.until_alive())


def test_housekeeping_does_not_keep_commands_waiting(client: PayloadClient, probe: Probe) -> None:
    """At its shortest interval, between answers that fill the line, all commands are answered."""
    many = bytes([MOST_PARAMETERS]) + b"\0\0" * MOST_PARAMETERS
    full = client.get("link.no_room_count")
    client.set_housekeeping(interval_s=0.01, is_enabled=True)
    for _ in range(3):  # No more at once than the payload has room for.
        packets = [probe.packet((20, 1), many, ack=Ack.NONE) for _ in range(20)]
        assert kinds(probe.ask_all(packets)) == [(20, 2)] * 20
    client.set_housekeeping(is_enabled=False)
    assert client.get("link.no_room_count") == full


def test_the_time_is_set(client: PayloadClient, measure: Measure) -> None:
    """TC[9,128], and what the next report is stamped with."""
    client.set_time(1_000_000.5)
    later = client.ping().payload_time_s
    measure("time after it was set", later - 1_000_000.5, "s", least=0, most=60)
    client.set_time(0)


def test_the_time_wraps(client: PayloadClient, probe: Probe) -> None:
    """From the last second of 32 bits to 0; reports go on."""
    client.set_time(2**32 - 16 * TICK_S)
    deadline = time.monotonic() + PATIENCE_S
    while client.ping().payload_time_s > 2**31:
        assert time.monotonic() < deadline, "the time did not wrap"
    assert client.ping().payload_time_s < 60
    assert kinds(probe.ask(probe.packet((17, 1), ack=Ack.NONE))) == [(17, 2)]


@pytest.mark.needs("reset")
def test_a_reset_is_told(client: PayloadClient, probe: Probe, bench: Bench) -> None:
    """The event `boot`, its data 0 after the pin and 1 after TC[8,1]; counts start anew."""
    bench.board.reset()
    assert events_told(client, probe.until_alive(), "boot")[-1:] == [0]
    client.set_housekeeping(is_enabled=False)
    client.perform("warm_reset")
    deadline = time.monotonic() + PATIENCE_S
    while events_told(client, found := probe.until_alive(), "boot") != [1]:
        assert time.monotonic() < deadline, "no warm reset was told"
    assert next(each for each in found if each.service == 5).sequence_count == 0


@pytest.mark.needs("reset")
def test_one_dropped_frame_is_told_and_a_storm_is_not(
    client: PayloadClient, probe: Probe, reset: Callable[[], None]
) -> None:
    """At most one event a second, whatever the line brings; all are counted."""
    reset()
    client.set_housekeeping(is_enabled=False)
    told = []
    for _ in range(5):
        probe.send(b"\0\x05ab\0")
        told += events_told(client, probe.until_alive(), "frame_dropped")
    assert len(told) == 1
    assert client.get("link.bad_frames_count") == 5


@pytest.mark.needs("reset")
def test_an_event_that_is_switched_off_is_not_told(
    client: PayloadClient, probe: Probe, reset: Callable[[], None]
) -> None:
    """TC[5,6]; the frame is counted as ever."""
    reset()
    client.set_events(["frame_dropped"], is_enabled=False)
    probe.send(b"\0\x05ab\0")
    assert not events_told(client, probe.until_alive(), "frame_dropped")
    assert client.get("link.bad_frames_count") == 1
    client.set_events(["frame_dropped"], is_enabled=True)
