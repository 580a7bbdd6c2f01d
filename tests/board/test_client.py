# SPDX-License-Identifier: Apache-2.0
"""The client against the reference payload, over a pty and over TCP."""

import binascii
import random
import time

import pytest
from reference_payload import BUFFER, RAIL_TRIPPED, SCRATCH
from served_payload import Rfc2217Bridge

from fw_tools.board import ClientOptions, PayloadClient
from fw_tools.board.exchange import MOST_OUTSTANDING, CommandFailedError, NoAnswerError
from fw_tools.errors import UsageError
from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack, Severity
from fw_tools.pus.packets import Telecommand, build_tc, crc16


def test_a_ping_is_answered(board, client) -> None:
    before = board.payload.uptime_units / 65536
    found = client.ping()
    assert 0 < found.round_trip_s < 0.3
    assert before <= found.payload_time_s <= board.payload.uptime_units / 65536


def test_registers_and_fields_are_read_and_set_by_name(board, client) -> None:
    assert client.get("magic") == 0x46575450
    assert client.get_many(["control", "control.power_up", "control.scrub_enable"]) == {
        "control": 0x69,
        "control.power_up": 9,
        "control.scrub_enable": 6,
    }
    client.set("control.power_up", "on")
    assert board.payload.registers.read(4) == 0x66
    client.set_many({"control.power_up": 9, "control.scrub_enable": "off", "limit": "0x1234"})
    assert (board.payload.registers.read(4), board.payload.registers.read(6)) == (0x99, 0x1234)
    client.set("command.clear_counters", 1)
    assert board.payload.registers.read(5) == 0x10


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("controll", 1, "no register 'controll'; did you mean 'control'?"),
        ("control.power", 1, "no field of control 'power'; did you mean 'power_up'?"),
        ("control.power_up", "onn", "no value 'onn'; did you mean 'on'?"),
        ("control.power_up", 16, "16 does not fit; expected 0 to 0xf"),
        ("control.power_up", 5, "control.power_up: 5 is none of its values: off (0x9), on (0x6)"),
        ("limit", "lots", "no value 'lots'; a number"),
        ("magic", 1, "magic: can only be read; to be set there are: control, command, limit"),
    ],
)
def test_a_wrong_name_or_value_is_told_with_what_would_be_right(
    client, name, value, message
) -> None:
    with pytest.raises(UsageError) as raised:
        client.set(name, value)
    assert message in str(raised.value)


def test_what_can_only_be_set_is_not_asked_for(client) -> None:
    with pytest.raises(UsageError, match="command: can only be set, not read"):
        client.get("command")


@pytest.mark.parametrize(
    ("name", "value", "code"), [("magic", 1, 49), ("limit", 0x10000, 50), ("command", None, 48)]
)
def test_what_the_payload_refuses_is_told_in_words(client, name, value, code) -> None:
    number = client.description.parameter(name).id
    read, write = client.read_parameters, client.write_parameters
    with pytest.raises(CommandFailedError) as raised:
        read([number]) if value is None else write({number: value})
    assert raised.value.failure.code == code
    assert raised.value.kind == (1, 8)
    assert "TC[20," in str(raised.value)


@pytest.mark.parametrize("window", [1, 4, 100])
def test_a_memory_is_written_and_read_back(board, description, window) -> None:
    content = random.Random(3).randbytes(8192)
    seen: list[int] = []
    options = ClientOptions(timeout_s=0.5, window=window)
    with PayloadClient.open(board.url, description, options=options) as client:
        client.write_memory("buffer", 0, content)
        assert board.payload.memories[BUFFER].content == content
        assert client.read_memory("buffer", progress=seen.append) == content
        assert client.read_memory("buffer", 5, 2000) == content[5:2005]
        assert client.check_memory("buffer", 16, 1000) == crc16(content[16:1016])
        assert client.image_crc32("buffer", 0, 8192) == binascii.crc32(content)
    assert seen == list(range(1024, 8193, 1024))


@pytest.mark.parametrize(
    ("name", "address", "octets", "code"),
    [("scratch", 4092, 8, 35), ("scratch", 4096, 8, 34), ("buffer", 8191, 2, 34)],
)
def test_an_area_across_the_end_of_a_memory_is_refused_by_the_payload(
    client, name, address, octets, code
) -> None:
    with pytest.raises(CommandFailedError) as raised:
        client.read_memory(name, address, octets)
    assert raised.value.failure.code == code
    assert client.ping()


def test_no_octets_are_no_area(client) -> None:
    with pytest.raises(UsageError, match="expected 1 or more"):
        client.read_memory("buffer", 8192)


def test_housekeeping_is_asked_for_and_comes_by_itself(board, client) -> None:
    found = client.housekeeping()
    assert (found.structure_id, found.fields) == (1, bytes.fromhex("00000069"))
    client.set_housekeeping(interval_s=0.02, is_enabled=True)
    reports = [report for report in client.reports(0.5) if report.kind == (3, 25)]
    assert 5 < len(reports) <= 26
    client.set_housekeeping(is_enabled=False)
    list(client.reports(0.05))
    assert not list(client.reports(0.1))


def test_events_are_seen_and_kept(board, client) -> None:
    client.ping()
    board.event(RAIL_TRIPPED, 0xBEEF)
    (event,) = client.events(0.3)
    assert (event.name, event.severity, event.data) == ("rail_tripped", Severity.HIGH, 0xBEEF)
    client.set_events(["rail_tripped"], is_enabled=False)
    board.event(3, 1)
    time.sleep(0.01)
    assert [each.name for each in client.event_log()] == ["rail_tripped", "word_lost"]


def test_the_log_is_in_order_after_it_went_round(board, client) -> None:
    machine = board.payload.machine
    for number in range(70):
        board.payload.uptime_units += 65536
        machine.events.happened(RAIL_TRIPPED, number)
        machine.events._last.clear()
    assert [each.data for each in client.event_log()] == list(range(6, 70))


def test_functions_are_performed_once(board, client) -> None:
    for name in ("power_up", "power_down", "clear_faults", "clear_counters", "warm_reset"):
        client.perform(name)
    assert set(board.payload.called.values()) == {1}


def test_the_time_is_set(board, client) -> None:
    client.set_time(1_000_000.5)
    assert 1_000_000.5 <= client.ping().payload_time_s < 1_000_001.5


@pytest.mark.parametrize("seconds", [-1, 2**32, float("nan"), float("inf")])
def test_a_time_or_an_interval_that_cannot_be_said_is_refused(client, seconds) -> None:
    with pytest.raises(UsageError, match=r"time \S+ s; expected 0 to 4294967295"):
        client.set_time(seconds)
    with pytest.raises(UsageError, match=r"interval \S+ s; expected 0\.01 to 4294967"):
        client.set_housekeeping(interval_s=seconds)


@pytest.mark.parametrize(("address", "octets"), [(-4, 4), (2**32, 4), (0, 0x10000), (0, -4)])
def test_an_area_that_cannot_be_said_is_refused(client, address, octets) -> None:
    with pytest.raises(UsageError, match="expected"):
        client.check_memory("scratch", address, octets)


def test_one_field_is_set_beside_another_that_has_no_value_of_its_own(board, client) -> None:
    """As an upset leaves one: it must not keep the power from being switched."""
    control = client.description.parameter("control").id
    board.payload.registers.write(control, 0x79)
    client.set("control.power_up", "on")
    assert client.get("control") == 0x76


def test_sequence_counts_wrap(board, client) -> None:
    client._exchange._count = 0x3FFD
    for _ in range(6):
        client.perform("power_up")
    assert board.payload.called[1] == 6


HOUSEKEEPING_NOW = build_tc(
    Telecommand(
        apid=66,
        sequence_count=1,
        service=3,
        subtype=27,
        source_id=1,
        ack=Ack.NONE,
        data=b"\1\0\1",
    )
)


def reports_of(line: bytes) -> list[bytes]:
    return [part for part in line.split(b"\0") if part]


class Loses:
    """A wire that loses every nth stretch of octets."""

    def __init__(self, every: int) -> None:
        self.every, self.number, self.lost = every, 0, 0

    def __call__(self, octets: bytes) -> bytes:
        self.number += bool(octets)
        if octets and self.number % self.every == 0:
            self.lost += 1
            return b"\x01" + octets[3:]
        return octets


@pytest.mark.parametrize("wire", ["to_device", "to_host"])
def test_commands_are_executed_once_over_a_line_that_loses(board, client, wire) -> None:
    loses = Loses(3)
    setattr(board, wire, loses)
    for _ in range(30):
        client.perform("power_up")
    assert board.payload.called[1] == 30
    assert loses.lost >= 10


@pytest.mark.parametrize("wire", ["to_device", "to_host"])
def test_memory_comes_whole_over_a_line_that_loses(board, description, wire) -> None:
    content = random.Random(4).randbytes(4096)
    board.payload.memories[SCRATCH].content[:] = content
    options = ClientOptions(timeout_s=0.3, tries=8)
    loses = Loses(4)
    setattr(board, wire, loses)
    with PayloadClient.open(board.url, description, options=options) as client:
        for _ in range(4):
            assert client.read_memory("scratch") == content
        client.write_memory("scratch", 0, content[::-1])
    assert board.payload.memories[SCRATCH].content == content[::-1]
    assert loses.lost


def test_an_answer_of_another_client_is_not_ours(board, client) -> None:
    """Two clients with the same counts: the source ID tells their reports apart."""
    client._exchange._count = 7
    other = PayloadClient(client.link, client.description)
    other._exchange._count = 7
    other._exchange.source_id = client._exchange.source_id ^ 1
    client.perform("power_up")
    other.perform("power_up")
    assert board.payload.called[1] == 2


def test_a_failure_of_another_client_with_the_same_count_is_not_ours(board, client) -> None:
    def after_another(octets: bytes) -> bytes:
        board.to_device = lambda same: same
        other = Telecommand(
            apid=66,
            sequence_count=7,
            service=8,
            subtype=1,
            source_id=client._exchange.source_id ^ 1,
            ack=Ack.ALL,
            data=b"\0\x63",
        )
        return encode_frame(build_tc(other)) + octets

    client.ping()
    board.to_device = after_another
    client._exchange._count = 7
    client.perform("power_up")
    assert board.payload.called[1] == 1


def test_housekeeping_in_the_middle_of_an_exchange_is_no_answer(board, client) -> None:
    housekeeping = reports_of(board.payload.machine.feed(encode_frame(HOUSEKEEPING_NOW)))[0]

    def in_the_middle(octets: bytes) -> bytes:
        return b"\0\0".join(part for each in octets.split(b"\0\0") for part in (each, housekeeping))

    board.to_host = in_the_middle
    assert client.get("magic") == 0x46575450
    assert len(client.read_memory("rom")) == 1024
    assert client.ping()


def test_as_many_commands_are_under_way_as_the_window_says(board, description) -> None:
    held = bytearray()

    def four_at_once(octets: bytes) -> bytes:
        held.extend(octets)
        if held.count(0) < 2 * 4:
            return b""
        released = bytes(held)
        held.clear()
        return released

    options = ClientOptions(timeout_s=1, tries=1, window=4)
    with PayloadClient.open(board.url, description, options=options) as client:
        client.ping()
        board.to_device = four_at_once
        assert len(client.read_memory("buffer", 0, 4096)) == 4096


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # Of pyserial.
def test_a_payload_behind_rfc2217_is_reached(pty_board, description) -> None:
    with (
        Rfc2217Bridge(pty_board.url) as bridge,
        PayloadClient.open(bridge.url, description, options=ClientOptions(timeout_s=0.5)) as client,
    ):
        assert client.get("magic") == 0x46575450
        assert len(client.read_memory("buffer")) == 8192
        client.perform("power_up")
        assert bridge.lines == {"dtr": True, "rts": True}  # Off, they would reset a board.
    assert pty_board.payload.called[1] == 1


def test_what_is_under_way_is_still_known_to_the_payload() -> None:
    assert MOST_OUTSTANDING < 16


def test_a_command_without_an_answer_is_given_up_in_time(board, client) -> None:
    board.is_silent = True
    started = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"no answer to TC\[17,1\] after 3 tries"):
        client.ping()
    assert time.monotonic() - started < 3 * 0.5 + 0.5
    board.is_silent = False
    assert client.ping()


def test_reports_that_are_no_answer_do_not_keep_it_waiting(board, client) -> None:
    event = board.payload.machine.event(RAIL_TRIPPED, 1)
    board.babble = event + encode_frame(bytes(20))
    started = time.monotonic()
    with pytest.raises(NoAnswerError, match="none was the answer"):
        client.ping()
    assert time.monotonic() - started < 3
