# SPDX-License-Identifier: Apache-2.0
"""Faults of a twin seen through a whole payload: what its events, counters and flash then tell."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from twin_bench import wait_until

from fw_tools.board import ClientOptions, PayloadClient
from fw_tools.board.description import load_description
from fw_tools.board.probe import Probe
from fw_tools.board.twin import Twin, TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.board.twin_messages import Direction, LineFaults
from fw_tools.board.twin_program import TwinDesign, build_twin
from fw_tools.board.twin_storage import Stored, read_storage
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import crc16

PATIENT = ClientOptions(timeout_s=5.0)
HASTY = ClientOptions(timeout_s=0.3)  # What a brown-out swallows costs little.
OCTETS = 4 << 20


@contextmanager
def commanded_twin(folder: Path, spec: Path, *options: str) -> Iterator[str]:
    """Run `fw-tools twin` in a folder; yield the URL that it prints."""
    command = [sys.executable, "-m", "fw_tools", "twin", str(spec), "--tcp", "0", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith("listening on "):
                yield line.split()[-1]
                return
        raise AssertionError("the twin ended")
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def client_of(
    url: str, description: Path, options: ClientOptions = PATIENT
) -> Iterator[PayloadClient]:
    with PayloadClient.open(url, load_description(description), options=options) as client:
        client.set_housekeeping(is_enabled=False)
        yield client


@pytest.fixture(scope="module")
def node(repository: Path) -> TwinDesign:
    return twin_design(repository / "examples" / "compute_node" / "payload.toml")


@pytest.fixture(scope="module")
def breaker(repository: Path) -> Path:
    return repository / "examples" / "breaker_mini"


def test_scheduled_upsets_become_events_and_counters(repository: Path, tmp_path: Path) -> None:
    """A state code, a replica of the engine, one and two bits of memory words."""
    example = repository / "examples" / "compute_node"
    memory = "u_payload.u_top.u_weight_buffer.u_array.mem"
    upsets = (
        ("u_payload.u_top.u_sequencer.u_v28_bus.u_state.u_code.stored_q", 0, 1),
        ("u_payload.u_link.u_core.u_state.gen_replica[2].u_replica.stored_q", 0, 3),
        (memory, 5, 70),
        (memory, 9, 0),
        (memory, 9, 71),
    )
    events = "".join(
        f'[[event]]\nat = "15ms"\ndo = "upset"\npath = "{path}"\nword = {word}\nbit = {bit}\n'
        for path, word, bit in upsets
    )
    (tmp_path / "faults.toml").write_text(events)
    with (
        commanded_twin(tmp_path, example / "payload.toml", "--faults", "faults.toml") as url,
        client_of(url, example / "generated" / "link.json") as client,
    ):
        wait_until(lambda: client.ping().payload_time_s > 0.04, "a pass of the scrubber")
        told = {event.name: event.data for event in client.event_log()}
        assert told["state_upset_corrected"] == 1
        assert "engine_corrected" in told
        # Data are the register, as it is when the link comes to look.
        assert told["weight_buffer_corrected"] & 0xFFFF == 1
        assert told["weight_buffer_uncorrectable"] >> 16
        assert client.get("state_upsets.corrected") == 1
        assert client.get("memory_weight_buffer.errors.corrected") == 1
        assert client.get("memory_weight_buffer.errors.uncorrectable")  # In every pass anew.
        assert client.get("link.corrected_count") == 1


def test_what_can_be_upset_is_what_is_stored(node: TwinDesign, tmp_path: Path) -> None:
    """Replicas stay apart; what they are voted to, and what they become, is stored nowhere."""
    storage = read_storage(build_twin(node, tmp_path, lambda _: None, has_waves=False))
    core = "u_payload.u_link.u_core"
    replicas = [f"{core}.u_state.gen_replica[{n}].u_replica.stored_q" for n in range(3)]
    assert [storage[path].bits for path in replicas] == [162] * 3
    assert storage["u_payload.u_top.u_weight_buffer.u_array.mem"] == Stored(1024, 72)
    assert not {f"{core}.state_q", f"{core}.state_d"} & set(storage)


def test_a_scheduled_brown_out_resets_registers_and_keeps_the_log(
    breaker: Path, tmp_path: Path
) -> None:
    (tmp_path / "faults.toml").write_text(
        '[[event]]\nat = "500ms"\ndo = "brown_out"\nfor = "1ms"\n'
        '[[event]]\nat = "2s"\ndo = "power_loss"\nfor = "1ms"\n'
    )
    with (
        commanded_twin(tmp_path, breaker / "payload.toml", "--faults", "faults.toml") as url,
        client_of(url, breaker / "generated" / "link.json", HASTY) as client,
    ):
        boots = [0]

        def is_over() -> bool:
            found = sum(event.name == "boot" for event in client.event_log())
            boots.extend([found] if found != boots[-1] else [])
            return boots[-1] == 1 and 2 in boots

        wait_until(is_over, "the power loss")
    assert boots in ([0, 1, 2, 1], [0, 2, 1]), "the log went with the power and not before"


def test_waves_of_a_payload_begin_at_the_rail_that_was_named(breaker: Path, tmp_path: Path) -> None:
    """Before the rail rises there is nothing; its enable pin is high from the first sample on."""
    options = ("--trace-on", "rail:v3p3_io")
    with (
        commanded_twin(tmp_path, breaker / "payload.toml", *options) as url,
        client_of(url, breaker / "generated" / "link.json") as client,
    ):
        started = client.ping().payload_time_s
        client.perform("power_up")
        wait_until(lambda: client.ping().payload_time_s > started + 0.05, "the end of the window")
    waves = tmp_path / "twin.vcd"
    with waves.open() as stream:
        head = [next(stream) for _ in range(200)]
        stream.seek(0)
        times = [int(line[1:]) for line in stream if line.startswith("#")]
    assert any("$scope module breaker_mini_twin $end" in line for line in head)
    assert (times[-1] - times[0]) / 2 == pytest.approx(12e6 * 0.01, rel=0.01)
    assert times[0] > started * 12e6


@contextmanager
def running(node: TwinDesign, **options: object) -> Iterator[tuple[Twin, PayloadClient]]:
    assert node.link
    with (
        running_twin(node, TwinOptions(**options)) as twin,  # type: ignore[arg-type]
        client_of(twin.url, node.link) as client,
    ):
        yield twin, client


def test_no_octet_is_lost_while_the_flash_moves_beside_the_line(node: TwinDesign) -> None:
    """A dump goes out while the next area is read."""
    options = ClientOptions(timeout_s=2, tries=1, window=4)
    with running(node) as (twin, client):
        url, description = twin.url, client.description
        client.close()
        with PayloadClient.open(url, description, options=options) as client:
            assert client.read_memory("flash", 0, 0x8000) == b"\xff" * 0x8000


PLACE = 0x80300  # Behind the golden slot.


def test_a_power_loss_in_mid_program_leaves_what_a_chip_would(
    node: TwinDesign, tmp_path: Path
) -> None:
    """Some of the bits of the page are cleared, none beside it; it can be programmed to its end."""
    image, page = tmp_path / "flash.bin", bytes([0x0F]) * 256
    area = b"\xf0\1" + PLACE.to_bytes(4, "big") + (256).to_bytes(2, "big") + page
    with running(node, flash=image, flash_time=1000) as (twin, client):  # 400 ms.
        probe = Probe(client)
        client.link.send(probe.packet((6, 2), area + crc16(page).to_bytes(2, "big"), ack=Ack.NONE))
        before = twin.statistics()
        wait_until(
            lambda: (
                twin.statistics()["to_payload"]["octets"] > 285
                and twin.statistics()["cycles"] > before["cycles"] + node.clock_hz // 20
            ),
            "the program to begin",
        )
        twin.set_power(False)
        assert twin.statistics()["flash_interrupted"] == 1
        left = image.read_bytes()[PLACE : PLACE + 256]
        twin.set_power(True)
        probe.until_alive()
        assert client.read_memory("flash", PLACE, 256) == left
    assert all(octet & 0x0F == 0x0F for octet in left)
    assert 0 < sum(8 - octet.bit_count() for octet in left) < 4 * 256
    after = image.read_bytes()
    assert after[:PLACE] + after[PLACE + 256 :] == b"\xff" * (OCTETS - 256)
    with running(node, flash=image, flash_time=0.1) as (_, client):
        assert client.read_memory("flash", PLACE, 256) == left
        client.write_memory("flash", PLACE, page)
    assert image.read_bytes()[PLACE : PLACE + 256] == page


@pytest.mark.parametrize("line", list(Direction))
@pytest.mark.parametrize("kind", ["flip", "drop", "duplicate", "insert", "stall", "cut"])
def test_commands_are_done_once_over_a_line_with_each_fault(
    node: TwinDesign, line: Direction, kind: str
) -> None:
    """What the payload counts is what was asked for, although the line lost or changed octets."""
    wire = "to_payload" if line is Direction.TO_PAYLOAD else "from_payload"
    counter = "cut" if kind == "cut" else f"{kind}s"
    options = ClientOptions(timeout_s=0.5, tries=40)
    with running(node) as (twin, client):
        url, description = twin.url, client.description
        client.close()
        with PayloadClient.open(url, description, options=options) as client:
            done = client.get("link.functions_done")
            for number in range(10):
                if kind == "cut":
                    twin.cut_line(line, True)
                    threading.Timer(0.05, twin.cut_line, (line, False)).start()
                else:
                    stall = {"stall_s": 1e-4} if kind == "stall" else {}
                    twin.disturb_line(line, LineFaults(**{kind: 0.02}, **stall), seed=number)
                client.perform("clear_faults")
            twin.disturb_line(line, LineFaults())
            Probe(client).until_alive()
            assert client.get("link.functions_done") == done + 10
        assert twin.statistics()[wire][counter] > 0
