# SPDX-License-Identifier: Apache-2.0
"""More processes: nothing that comes out is any different."""

import random
import sys

import pytest

MISSION = """
from construct import *
from telemetry import Limits, field

VOLTS = field(Int16ub, unit="V", calibration=(0, 0.01), limits=Limits(warning=(10, 600)))
FAST = Struct("volts" / VOLTS, "ratio" / Float64b, "packet_error_control" / Int16ub)
SLOW = Struct(
    "volts" / VOLTS, "double" / Computed(lambda context: 2 * context.volts), "rest" / GreedyBytes
)
PACKETS = {66: FAST, 67: SLOW}
"""
COMMANDS = {
    "stats": ("stats", "d.bin", "--json", "out"),
    "report": ("report", "d.bin", "-o", "out.html"),
    "plot": ("plot", "d.bin", "volts", "double", "-o", "out.html"),
}


@pytest.fixture
def dump(tmp_path, make_packet, monkeypatch):
    """Packets of two APIDs, some lost, some damaged, read in many chunks."""
    monkeypatch.setattr("telemetry.ops.source.CHUNK_OCTETS", 1500)
    monkeypatch.setattr("telemetry.ops.pipeline.MANY_APIDS_CHUNK_OCTETS", 3000)
    source = random.Random(5)
    parts = []
    for count in range(1500):
        apid = source.choice((66, 67))
        size = 10 if apid == 66 else source.randrange(2, 30)
        packet = make_packet(apid, count, source.randbytes(size), crc=apid == 66)
        if source.random() < 0.02:
            packet = packet[:-1]
        if source.random() > 0.02:
            parts.append(packet)
    (tmp_path / "mission.py").write_text(MISSION)
    (tmp_path / "d.bin").write_bytes(b"".join(parts))


@pytest.mark.parametrize("name", COMMANDS)
def test_several_processes_tell_what_one_tells(name, call, dump, tmp_path, monkeypatch):
    told = []
    for processes in ("1", "3"):
        arguments = (*COMMANDS[name], "--definition", "mission.py:PACKETS")
        arguments += ("--processes", processes)
        monkeypatch.setattr(sys, "argv", ["fw-telemetry", *arguments])
        done = call(*arguments)
        assert done.returncode == 6, done.stderr
        told.append((done, (tmp_path / COMMANDS[name][-1]).read_bytes()))
    assert told[0] == told[1]
    assert "double" in told[0][1].decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_number_of_processes_that_cannot_be_is_refused(name, call, dump):
    done = call(*COMMANDS[name], "--definition", "mission.py:PACKETS", "--processes", "0")
    assert done.returncode == 2
    assert "--processes 0: expected 1..256" in done.stderr
