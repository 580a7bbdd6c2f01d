# SPDX-License-Identifier: Apache-2.0
"""Links and pipes: packets are shown and handed on while they come."""

import json
import os
import pty
import select
import socket
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest

from telemetry.errors import UsageError
from telemetry.ops.source import SerialLine

COMMAND = str(Path(sys.executable).with_name("fw-telemetry"))


@pytest.fixture
def decoding(tmp_path, mission):
    """Start `decode` of a dump; what it prints is read line by line."""
    started = []

    def start(dump, *options, definition="mission.py:HOUSEKEEPING", **settings):
        command = [COMMAND, "decode", dump, "--definition", definition, *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            **settings,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def link():
    """A server of one client: its URL, and what sends to the client once it is there."""
    listener = socket.create_server(("127.0.0.1", 0))
    clients = []

    def connected():
        if not clients:
            listener.settimeout(20)
            clients.append(listener.accept()[0])
        return clients[0]

    yield f"socket://127.0.0.1:{listener.getsockname()[1]}", connected
    for client in clients:
        client.close()
    listener.close()


def test_a_pass_is_watched_packet_by_packet(decoding, link, housekeeping_of):
    url, connected = link
    process = decoding(url)
    connected().sendall(housekeeping_of(0, 2800))
    first = process.stdout.readline()  # The link is still open.
    assert first == "APID 66 #0 CRC good  flags.mode work  flags.heater 5  volts 28 V\n"
    connected().sendall(housekeeping_of(3, 3300))
    assert process.stdout.readline() == "  ... 2 missing\n"
    assert process.stdout.readline().endswith("volts 33 V (ALARM HIGH)\n")
    connected().close()
    rest, told = process.communicate(timeout=20)
    assert (rest, process.returncode) == ("", 6)
    assert "2 packets missing after sequence count 0" in told


def test_json_lines_go_to_standard_output_while_they_come(decoding, link, housekeeping_of):
    url, connected = link
    process = decoding(url, "-o", "-", "--columns", "apid,volts*")
    for count, raw in enumerate((2800, 3300)):
        connected().sendall(housekeeping_of(count, raw))
        assert json.loads(process.stdout.readline()) == {
            "apid": 66, "volts": raw, "volts.engineering": raw / 100,
            "volts.state": "ok" if raw == 2800 else "alarm_high",
        }  # fmt: skip


def test_standard_output_has_what_the_file_has(call, good_dump, mission, tmp_path):
    definition = ("--definition", "mission.py:PACKETS")
    done = call("decode", good_dump, *definition, "-o", "-")
    assert done.returncode == 0, done.stderr
    assert call("decode", good_dump, *definition, "-o", "o.jsonl").returncode == 0
    assert done.stdout == (tmp_path / "o.jsonl").read_text()
    assert "20 rows decoded" in done.stderr


def test_a_reader_that_has_enough_ends_the_decoding_in_peace(decoding, tmp_path, dump_of):
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(20_000)))
    process = decoding("d.bin", "-o", "-", definition="mission.py:PACKETS")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


def test_a_serial_port_is_set_as_asked(decoding, housekeeping_of):
    far, near = pty.openpty()
    tty.setraw(near)
    process = decoding(os.ttyname(near), "--baud", "9600", "--line", "8N2")
    for count in range(100):  # What comes before a port is open is lost.
        os.write(far, housekeeping_of(count, 2800))
        if select.select([process.stdout], [], [], 0.3)[0]:
            break
    assert process.stdout.readline().startswith("APID 66 #")
    _, _, control, _, read_speed, write_speed, _ = termios.tcgetattr(near)
    assert (read_speed, write_speed) == (termios.B9600, termios.B9600)
    assert control & termios.CSTOPB
    os.close(far)
    os.close(near)


def test_a_line_is_data_bits_parity_and_stop_bits():
    found = SerialLine(57600, "7E1.5").settings()
    assert found == {"baudrate": 57600, "bytesize": 7, "parity": "E", "stopbits": 1.5}
    for line in ("8n1", "9N1", "8N3", "", "8N1 "):
        with pytest.raises(UsageError, match="expected data bits, parity, stop bits, as 8N1"):
            SerialLine(line=line)


def test_a_wrong_line_is_a_wrong_argument(call, good_dump, mission):
    done = call("packets", good_dump, "--line", "8X1")
    assert done.returncode == 2
    assert "--line 8X1: expected" in done.stderr
