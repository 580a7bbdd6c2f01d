# SPDX-License-Identifier: Apache-2.0
"""Ping, verification, parameters, functions: each command is answered, and done once."""

from itertools import pairwise

import pytest

from fw_tools.board import PayloadClient
from fw_tools.board.bench import Bench
from fw_tools.board.exchange import CommandFailedError
from fw_tools.board.probe import Probe, kinds
from fw_tools.board.pytest_plugin import Measure, board_identity
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import SEQUENCE_MODULUS

ROUND_TRIPS = 20
CLEAR_FAULTS = 3


def test_a_ping_is_answered(client: PayloadClient, measure: Measure) -> None:
    """TC[17,1], with how long the host waits for it; the first may fall into a busy moment."""
    times = sorted(client.ping().round_trip_s for _ in range(ROUND_TRIPS))
    measure("round trip, median", times[ROUND_TRIPS // 2] * 1e3, "ms", most=1000)


def test_the_gateware_is_that_of_the_description(bench: Bench, client: PayloadClient) -> None:
    """The digest that was compiled in is that of link.json."""
    assert client.get("magic") == 0x46575450
    assert client.get("model_digest") == int(client.description.digest[:8], 16)
    assert board_identity(bench).rtl_digest == client.description.rtl_digest


@pytest.mark.parametrize(
    ("ack", "expected"),
    [
        (Ack.NONE, [(17, 2)]),
        (Ack.ACCEPTANCE, [(1, 1), (17, 2)]),
        (Ack.START, [(1, 3), (17, 2)]),
        (Ack.COMPLETION, [(17, 2), (1, 7)]),
        (Ack.ALL, [(1, 1), (1, 3), (17, 2), (1, 7)]),
    ],
    ids=("none", "acceptance", "start", "completion", "all"),
)
def test_verification_comes_as_the_flags_ask(
    probe: Probe, ack: Ack, expected: list[tuple[int, int]]
) -> None:
    """Each report names the request: packet ID and sequence control as they were sent."""
    packet = probe.packet((17, 1), ack=ack)
    reports = probe.ask(packet)
    assert kinds(reports) == expected
    assert all(report.data == packet[:4] for report in reports if report.service == 1)
    assert {report.destination_id for report in reports} == {probe.source_id}


def test_reports_are_counted_without_a_gap(probe: Probe) -> None:
    """14 bits for the APID, 16 for each kind of message."""
    reports = probe.ask_all([probe.packet((17, 1)) for _ in range(8)])
    counts = [report.sequence_count for report in reports]
    steps = {(b - a) % SEQUENCE_MODULUS for a, b in pairwise(counts)}
    assert steps == {1}
    alive = [report.message_count for report in reports if report.kind == (17, 2)]
    assert [count - alive[0] for count in alive] == list(range(8))


def test_a_failure_is_reported_whatever_was_asked(probe: Probe) -> None:
    """TM[1,8] with the code of an unknown function and its number."""
    packet = probe.packet((8, 1), b"\x7f\xff", ack=Ack.NONE)
    (report,) = probe.ask(packet)
    assert report.kind == (1, 8)
    assert report.data == packet[:4] + (96).to_bytes(2, "big") + (0x7FFF).to_bytes(4, "big")


def test_registers_are_read_and_set(client: PayloadClient) -> None:
    """All that can be read, in as many commands as it takes; then one field, and back."""
    names = [each.name for each in client.description.parameters if "r" in each.access]
    assert set(client.get_many(names)) == set(names)
    before = client.get("control.scrub_enable")
    client.set("control.scrub_enable", "off")
    assert client.get("control.scrub_enable") == 9
    client.set("control.scrub_enable", before)
    assert client.get("control.scrub_enable") == before


def test_what_cannot_be_set_is_refused_and_nothing_is_set(
    client: PayloadClient, probe: Probe
) -> None:
    """One wrong value among two: the other is not set either."""
    before = client.get("control")
    wrong = b"\2" + b"\0\4" + (before ^ 0x0F).to_bytes(4, "big") + b"\0\0" + bytes(4)
    assert kinds(probe.ask(probe.packet((20, 3), wrong)))[-1] == (1, 8)
    assert client.get("control") == before
    with pytest.raises(CommandFailedError) as raised:
        client.write_parameters({client.description.parameter("magic").id: 1})
    assert raised.value.failure.code == 49


@pytest.mark.parametrize("number", [0, 33])
def test_a_number_of_parameters_out_of_range_is_refused(probe: Probe, number: int) -> None:
    """1 to 32 in one command."""
    reports = probe.ask(probe.packet((20, 1), bytes([number]) + bytes(2 * number)))
    assert kinds(reports)[-1] == (1, 8)
    assert reports[-1].data[4:] == (51).to_bytes(2, "big") + number.to_bytes(4, "big")


def test_a_function_is_performed_once_however_often_it_is_sent(
    client: PayloadClient, probe: Probe
) -> None:
    """The same packet 16 times: answered each time, done once; the counters tell."""
    done = client.get("link.functions_done")
    packet = probe.packet((8, 1), CLEAR_FAULTS.to_bytes(2, "big"))
    reports = probe.ask_all([packet] * 16)
    assert kinds(reports) == [(1, 1), (1, 3), (1, 7)] * 16
    assert client.get("link.functions_done") == done + 1


def test_the_last_sixteen_commands_are_known(client: PayloadClient, probe: Probe) -> None:
    """16 functions, and all of them again; one more, and the first is new."""
    done = client.get("link.functions_done")
    data = CLEAR_FAULTS.to_bytes(2, "big")
    packets = [probe.packet((8, 1), data) for _ in range(16)]
    probe.ask_all([*packets, *packets])
    assert client.get("link.functions_done") == done + 16


def test_sequence_counts_wrap(client: PayloadClient, probe: Probe) -> None:
    """From 16,383 to 0 as from any to the next."""
    done = client.get("link.functions_done")
    data = CLEAR_FAULTS.to_bytes(2, "big")
    counts = [(SEQUENCE_MODULUS - 3 + n) % SEQUENCE_MODULUS for n in range(6)]
    reports = probe.ask_all([probe.packet((8, 1), data, count=count) for count in counts])
    assert [int.from_bytes(each.data[2:], "big") & 0x3FFF for each in reports] == [
        count for count in counts for _ in range(3)
    ]
    assert client.get("link.functions_done") == done + 6
