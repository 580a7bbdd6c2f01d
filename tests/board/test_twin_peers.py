# SPDX-License-Identifier: Apache-2.0
"""The twin of the compute node against clients that are not ours, and our own command line.

`spacepackets` builds commands and reads reports, `cobs` frames them, `fw-telemetry` decodes a
capture of the line by the generated definitions.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cobs import cobs
from spacepackets.ecss import PusTc
from spacepackets.ecss.pus_1_verification import (
    ManagedParamsVerification,
    Service1Tm,
)
from spacepackets.ecss.pus_17_test import Service17Tm
from spacepackets.ecss.tm import PusTm

from fw_tools.board.bench import Bench, open_bench
from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.exchange import NoAnswerError
from fw_tools.pus.data_fields import REPORTS
from fw_tools.pus.packets import TM, crc16

STAMP_OCTETS = 7
APID = 66
SOURCE_ID = 0x4711
PATIENCE_S = 30.0
CODES = ManagedParamsVerification(bytes_step_id=1, bytes_err_code=2)


class Peer:
    """A client made of other people's parts, on a TCP connection; keeps all that comes."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("socket://").split(":")
        self.link = socket.create_connection((host, int(port)))
        self.link.settimeout(0.1)
        self.capture = b""
        self.count = 0

    def drain(self) -> None:
        """Take what was under way until the line rests; it is no part of the capture."""
        with suppress(TimeoutError):
            while self.link.recv(4096):
                pass

    def wait_for_report(self) -> None:
        """Wait until one more report has come."""
        before, deadline = len(self.packets()), time.monotonic() + PATIENCE_S
        while len(self.packets()) == before and time.monotonic() < deadline:
            with suppress(TimeoutError):
                self.capture += self.link.recv(4096)

    def command(self, service: int, subtype: int, data: bytes = b"", apid: int = APID) -> bytes:
        self.count += 1
        return bytes(
            PusTc(
                apid=apid,
                service=service,
                message_subtype=subtype,
                app_data=data,
                seq_count=self.count,
                source_id=SOURCE_ID,
                ack_flags=0b1101,
            ).pack()
        )

    def ask(self, packet: bytes, reports: int) -> list[bytes]:
        """Send a packet and return so many reports to this client, as they came."""
        self.link.sendall(b"\0" + cobs.encode(packet) + b"\0")
        began, deadline = len(self.capture), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = [each for each in self.packets(began) if is_ours(each)]
            if len(found) == reports:
                return found
            try:
                self.capture += self.link.recv(4096)
            except TimeoutError:
                continue
        raise AssertionError(
            f"{len(found)} of {reports} reports came: {self.capture[began:].hex()}"
        )

    def packets(self, began: int = 0) -> list[bytes]:
        *whole, _ = self.capture[began:].split(b"\0")
        if began == 0 and not is_whole(whole[:1]):
            del whole[:1]  # The line was busy with it when we came.
        return [cobs.decode(each) for each in whole if each]


def is_whole(frames: list[bytes]) -> bool:
    try:
        return all(crc16(cobs.decode(each)) == 0 for each in frames)
    except cobs.DecodeError:
        return False


def verification(packet: bytes) -> Service1Tm:
    return Service1Tm.from_tm(PusTm.unpack(packet, STAMP_OCTETS), CODES)


def is_ours(packet: bytes) -> bool:
    return PusTm.unpack(packet, STAMP_OCTETS).pus_tm_sec_header.dest_id == SOURCE_ID


@pytest.fixture(scope="module")
def spec(repository: Path) -> Path:
    return repository / "examples" / "compute_node" / "payload.toml"


@pytest.fixture(scope="module")
def repository() -> Path:
    return Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def twin(spec: Path) -> Iterator[Bench]:
    with open_bench(f"twin:{spec}") as bench:
        yield bench


@pytest.fixture
def peer(twin: Bench) -> Iterator[Peer]:
    twin.client.close()
    assert twin.twin is not None
    found = Peer(twin.twin.url)
    found.drain()
    twin.twin.reset()
    found.wait_for_report()  # Of the boot.
    yield found
    found.link.close()


def test_spacepackets_and_cobs_talk_to_the_twin(peer: Peer) -> None:
    ping = peer.command(17, 1)
    accepted, started, alive, completed = peer.ask(ping, 4)
    for packet, subtype in ((accepted, 1), (started, 3), (completed, 7)):
        report = verification(packet)
        assert report.pus_tm.message_subtype == subtype
        assert report.tc_req_id.pack() == ping[:4]
    assert Service17Tm.unpack(alive, STAMP_OCTETS).message_subtype == 2
    data = bytes(range(16))
    area = bytes([2, 1]) + bytes(4) + (16).to_bytes(2, "big") + data
    load = peer.command(6, 2, area + crc16(data).to_bytes(2, "big"))
    *_, completed = peer.ask(load, 3)
    assert PusTm.unpack(completed, STAMP_OCTETS).message_subtype == 7
    dump = peer.command(6, 5, bytes([2, 1]) + bytes(4) + (16).to_bytes(2, "big"))
    content = PusTm.unpack(peer.ask(dump, 4)[2], STAMP_OCTETS)
    assert (content.service, content.message_subtype) == (6, 6)
    assert content.source_data[8:24] == data
    wrong = peer.command(6, 2, area + (crc16(data) ^ 1).to_bytes(2, "big"))
    failed = verification(peer.ask(wrong, 3)[2])
    assert failed.error_code is not None
    assert failed.error_code.val == 36
    # spacepackets knows no TM[1,10]: construct reads it.
    foreign = peer.command(17, 1, apid=67)
    (refused,) = peer.ask(foreign, 1)
    parsed = TM.parse(refused)
    fields = REPORTS[1, 10].parse(parsed.data)
    assert (parsed.secondary.service, parsed.secondary.subtype) == (1, 10)
    assert (fields.request_id, fields.code, fields.value) == (foreign[:4], 1, 67)


def test_a_capture_of_the_line_decodes_by_the_generated_definitions(
    peer: Peer, repository: Path, tmp_path: Path
) -> None:
    peer.ask(peer.command(17, 1), 4)
    peer.ask(peer.command(3, 27, b"\1\0\1"), 3)
    peer.ask(peer.command(20, 1, b"\2\0\0\0\4"), 4)
    peer.ask(peer.command(8, 1, b"\x7f\xff"), 3)
    peer.ask(peer.command(99, 1), 1)
    peer.ask(peer.command(6, 9, b"\2\1" + bytes(4) + b"\0\x10"), 4)
    capture = tmp_path / "capture.bin"
    capture.write_bytes(peer.capture)
    definition = repository / "examples" / "compute_node" / "generated" / "telemetry.py"
    command = [sys.executable, "-m", "telemetry", "decode", str(capture), "--framing", "cobs"]
    done = subprocess.run(
        [*command, "--definition", f"{definition}:LINK", "-o", str(tmp_path / "out.jsonl")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.66.jsonl").read_text().splitlines()]
    assert len(rows) == len(peer.packets())
    kinds = [row["message_type"] for row in rows if row["destination_id"] == SOURCE_ID]
    around = ["accepted", "started"]
    assert kinds == [
        *(*around, "alive", "completed", *around, "completed", *around, "parameters", "completed"),
        *(*around, "failed", "refused", *around, "memory_check", "completed"),
    ]
    assert "boot" in [row.get("data.event") for row in rows]
    (housekeeping,) = [row for row in rows if row["message_type"] == "housekeeping"]
    assert housekeeping["data.structure_id"] == 1
    assert housekeeping["data.core_state"] == "off"
    (failed,) = [row for row in rows if row["message_type"] == "failed"]
    assert (failed["data.failure_code"], failed["data.failure_value"]) == (96, 0x7FFF)


def fw_tools(*arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fw_tools", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # Of pyserial.
@pytest.mark.parametrize("way", ["pty", "tcp", "rfc2217"])
def test_every_command_works_on_the_twin(spec: Path, way: str, tmp_path: Path) -> None:
    with open_bench(f"twin:{spec}", way=way) as bench:
        assert bench.twin is not None
        url = bench.twin.url
        bench.client.close()
        board = ("--board", f"twin:{spec}", "--port", url, "--timeout", "3")
        assert "compute_node: alive" in fw_tools("ping", *board)
        assert "0x46575450" in fw_tools("get", *board, "magic")
        fw_tools("set", *board, "control.scrub_enable=off")
        assert "off (0x9)" in fw_tools("get", *board, "control.scrub_enable")
        assert "boot" in fw_tools("events", *board)
        assert fw_tools("dump", *board, "weight_buffer", "-n", "16").startswith("00000000  ")
        said = fw_tools("shell", *board, stdin="ping\nhousekeeping\nperform clear_faults\nquit\n")
        assert "TM[17,2]   alive" in said
        assert "TM[3,25]" in said


def test_a_wrong_baud_rate_is_told_as_such(spec: Path) -> None:
    with open_bench(f"twin:{spec}", way="pty") as bench:
        assert bench.twin is not None
        bench.client.set_housekeeping(is_enabled=False)  # Nothing is under way when the rate moves.
        time.sleep(0.5)
        bench.client.close()
        description, options = bench.client.description, ClientOptions(timeout_s=0.5)
        with (
            PayloadClient.open(
                bench.twin.url, description, baud=description.baud // 3, options=options
            ) as client,
            pytest.raises(NoAnswerError) as raised,
        ):
            client.ping()
    text = str(raised.value)
    assert "wrong baud rate" in text or "not one octet came" in text
