# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose: on the line, in storage, with the supply; and schedules of it."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from twin_bench import CLOCK_HZ, OpenClient, StartTwin, exchange, wait_until

from fw_tools.board.line_engine import DisturbedLine
from fw_tools.board.twin import PortKind, Twin
from fw_tools.board.twin_faults import load_faults
from fw_tools.board.twin_messages import Direction, LineFaults
from fw_tools.errors import InputError

ONE_IN_TEN = 0.1
SENT = bytes(range(200)) * 10


@pytest.fixture
def echo(start_twin: StartTwin, open_client: OpenClient) -> Any:
    def start(**options: Any) -> tuple[Twin, Any]:
        twin = start_twin(port=PortKind.TCP, **options)
        return twin, open_client(twin, timeout=1.0)

    return start


def echoed(client: Any) -> bytes:
    client.write(SENT)
    got: bytes = client.read(2 * len(SENT))  # Until the time is out.
    return got


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(
    ("name", "length"), [("flips", 0), ("drops", -1), ("duplicates", 1), ("inserts", 1)]
)
def test_a_disturbed_line_changes_what_it_counts(
    echo: Any, direction: Direction, name: str, length: int
) -> None:
    twin, client = echo()
    twin.disturb_line(direction, LineFaults(**{name[:-1]: ONE_IN_TEN}), seed=3)
    got = echoed(client)
    wire = "to_payload" if direction is Direction.TO_PAYLOAD else "from_payload"
    count = twin.statistics()[wire][name]
    assert 100 < count < 300  # 2,000 octets: 200 expected, 13 is one sigma.
    if length > 0 and direction is Direction.TO_PAYLOAD:
        return  # An echo cannot send more than comes in at full rate: some are lost there.
    assert len(got) == len(SENT) + length * count
    if not length:
        wrong = [a ^ b for a, b in zip(got, SENT, strict=True) if a != b]
        assert len(wrong) == count
        assert {bits.bit_count() for bits in wrong} == {1}


def test_the_same_seed_hits_the_same_octets(echo: Any) -> None:
    runs = []
    for seed in (5, 5, 6):
        twin, client = echo()
        twin.disturb_line(Direction.FROM_PAYLOAD, LineFaults(drop=0.05), seed=seed)
        runs.append(echoed(client))
    assert runs[0] == runs[1] != runs[2]


def test_a_stalled_line_loses_nothing(echo: Any) -> None:
    twin, client = echo()
    twin.disturb_line(Direction.TO_PAYLOAD, LineFaults(stall=0.01, stall_s=1e-3))
    before = twin.statistics()["cycles"]
    assert exchange(client, SENT) == SENT
    after = twin.statistics()
    stalls = after["to_payload"]["stalls"]
    assert stalls > 5
    assert after["cycles"] - before > stalls * CLOCK_HZ / 1000 + len(SENT) * 160


def test_a_cut_wire_carries_nothing_until_it_is_whole(echo: Any) -> None:
    twin, client = echo()
    for direction in Direction:
        twin.cut_line(direction, True)
        client.write(b"lost")
        assert client.read(4) == b""
        twin.cut_line(direction, False)
        assert exchange(client, b"back") == b"back"


def test_an_upset_reaches_a_register_and_a_memory_by_name(echo: Any) -> None:
    twin, client = echo()
    assert exchange(client, b"a") == b"a"
    twin.upset("said_q", bit=0)  # It was 1: the banner comes again.
    assert client.read(1) == b"!"
    # The queue holds the first banner, "a" and the second banner; its read pointer is 3.
    twin.upset("queue_q", bit=0, word=1)
    twin.upset("tail_q", bit=1)
    assert client.read(2) == bytes([ord("a") ^ 1]) + b"!"
    assert twin.statistics()["upsets"] == 3


@pytest.mark.parametrize(
    ("path", "word", "bit", "said"),
    [
        ("tail", 0, 0, "no register or memory tail"),
        ("u_art.tx_shift_q", 0, 0, "no register or memory u_art.tx_shift_q"),
        ("tx_ready", 0, 0, "no register or memory tx_ready"),  # A wire.
        ("tail_q", 0, 4, r"tail_q has bits 0\.\.3"),
        ("queue_q", 16, 0, r"queue_q has words 0\.\.15"),
    ],
)
def test_an_upset_of_what_is_not_there_is_refused(
    echo: Any, path: str, word: int, bit: int, said: str
) -> None:
    twin, _ = echo()
    with pytest.raises(InputError, match=said):
        twin.upset(path, bit, word)


def test_an_upset_changes_what_depends_on_it_at_once(echo: Any) -> None:
    # rx_data is registered; the queue's write pointer decides combinationally whether to send.
    twin, client = echo()
    assert exchange(client, b"x") == b"x"
    twin.upset("head_q", bit=3)  # Eight words seem to wait.
    assert len(client.read(8)) == 8


def test_without_power_nothing_answers_and_with_it_all_starts_anew(echo: Any) -> None:
    twin, client = echo()
    twin.set_power(False)
    client.write(b"x")
    assert client.read(1) == b""
    twin.set_power(True)
    assert client.read(1) == b"!"
    assert exchange(client, b"y") == b"y"


def schedule(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "faults.toml"
    path.write_text(dedent(text))
    return load_faults(path, CLOCK_HZ, ("v5_aux",))


def test_a_schedule_is_carried_out_in_the_payloads_time(echo: Any, tmp_path: Path) -> None:
    faults = schedule(
        tmp_path,
        """\
        seed = 9

        [from_payload]
        flip = 1

        [[event]]
        at = "1s"
        do = "reset"
        for = "1ms"

        [[event]]
        at = "1200ms"
        do = "power_loss"
        for = "10ms"

        [[event]]
        at = "1300ms"
        do = "brown_out"
        for = "10ms"

        [[event]]
        at = "1400ms"
        do = "cut"
        line = "to_payload"
        for = "24h"
        """,
    )
    twin, client = echo(faults=faults)
    client.timeout = 20
    client.write(b"a")
    assert (client.read(1)[0] ^ ord("a")).bit_count() == 1
    got = client.read(3)
    assert [(octet ^ ord("!")).bit_count() for octet in got] == [1, 1, 1]
    wait_until(lambda: twin.statistics()["cycles"] > 1.5 * CLOCK_HZ, "the last event")
    client.timeout = 0.5
    client.write(b"b")
    assert client.read(1) == b""


def test_each_mistake_of_a_schedule_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        schedule(
            tmp_path,
            """\
            sead = 1
            [to_payload]
            flip = 2
            stall = 0.1
            [[event]]
            at = "1"
            do = "reset"
            for = "1ms"
            [[event]]
            at = "1ms"
            do = "resett"
            [[event]]
            at = "1ms"
            do = "upset"
            bit = 1
            [[event]]
            at = "1ms"
            do = "rail"
            rail = "v5_auks"
            fault = "drop"
            [[event]]
            at = "1ms"
            do = "stuck"
            address = 0x400000
            bit = 8
            value = "1"
            """,
        )
    path = tmp_path / "faults.toml"
    assert str(raised.value).splitlines() == [
        f"{path}:1: unknown key 'sead'; did you mean 'seed'?",
        f"{path}:3: to_payload: 'flip' is a chance per octet from 0 to 1, not 2",
        f"{path}:4: to_payload: 'stall' needs 'stall_for', as in \"2ms\"",
        f"{path}:6: event 1: at: '1' has no unit; write '1us' or '1ms' or '1s'",
        f"{path}:11: event 2: unknown fault 'resett'; did you mean 'reset'?",
        f"{path}:12: event 3: missing key 'path'",
        f"{path}:19: event 4: unknown rail 'v5_auks'; did you mean 'v5_aux'?",
        f"{path}:24: event 5: 'address' is a whole number from 0 to 4194303, not 4194304",
        f"{path}:25: event 5: 'bit' is a whole number from 0 to 7, not 8",
        f"{path}:26: event 5: 'value' is a whole number from 0 to 1, not '1'",
    ]


def test_upsets_of_what_is_not_there_are_told_with_their_lines_before_it_runs(
    start_twin: Any, tmp_path: Path
) -> None:
    path = tmp_path / "faults.toml"
    upsets = (("haed_q", 0, 0), ("head_q", 0, 3), ("head_q", 0, 4), ("queue_q", 16, 0))
    path.write_text(
        "".join(
            f'[[event]]\nat = "1h"\ndo = "upset"\npath = "{name}"\nword = {word}\nbit = {bit}\n'
            for name, word, bit in upsets
        )
    )
    with pytest.raises(InputError) as raised:
        start_twin(faults=load_faults(path, CLOCK_HZ, ()))
    told = str(raised.value).splitlines()
    assert told[0].startswith(
        f"{path}:4: event 1: no register or memory 'haed_q'; near it: head_q, "
    )
    assert told[1:] == [
        f"{path}:18: event 3: head_q has bits 0 to 3, not 4",
        f"{path}:23: event 4: queue_q has words 0 to 15, not 16",
    ]


def test_a_bit_sticks_only_where_there_is_a_flash(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[event]]\nat = "0us"\ndo = "stuck"\naddress = 1\nbit = 2\nvalue = 0\n')
    said = "event 1: 'stuck' needs a flash, and the payload has none"
    with pytest.raises(InputError, match=f":3: {said}"):
        load_faults(path, CLOCK_HZ, (), has_flash=False)


def test_a_line_between_ports_has_the_faults_of_a_twins_line(echo: Any) -> None:
    """The engine of `fw-tools faultline` is another program of the same draws."""
    faults = LineFaults(flip=0.05, drop=0.04, duplicate=0.03, insert=0.02)
    twin, client = echo()
    twin.disturb_line(Direction.FROM_PAYLOAD, faults, seed=12)
    line = DisturbedLine(Direction.FROM_PAYLOAD, 12, faults)
    assert echoed(client) == b"".join(part.octets for part in line.feed(SENT))
    counted = twin.statistics()["from_payload"]
    for name in ("flips", "drops", "duplicates", "inserts"):
        assert counted[name] == getattr(line.counts, name) > 0
