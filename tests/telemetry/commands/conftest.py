# SPDX-License-Identifier: Apache-2.0
"""A dump with every kind of byte, and a mission that has text, limits and calibrations."""

from typing import NamedTuple

import pytest

from telemetry.cli import cli
from telemetry.common.command import run

MISSION = """
from construct import *
from telemetry import Limits, field

PACKET = Struct("number" / Int32ub, "data" / Bytes(8), "packet_error_control" / Int16ub)
PACKETS = {66: PACKET}

TEXT = Struct("words" / PaddedString(40, "utf8"), "packet_error_control" / Int16ub)

HOUSEKEEPING = Struct(
    "flags" / BitStruct("mode" / Enum(Nibble, safe=0, work=1), "heater" / Nibble),
    Padding(1),
    "volts" / field(
        Int16ub, unit="V", calibration=(0, 0.01), description="bus <main>",
        limits=Limits(warning=(26, 30), alarm=(24, 32)),
    ),
    "packet_error_control" / Int16ub,
)
"""


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run the command in this process, in `tmp_path`; much sooner done than in one of its own."""
    monkeypatch.chdir(tmp_path)

    def run_here(*arguments):
        capsys.readouterr()
        code = run(cli, "fw-telemetry", [str(argument) for argument in arguments])
        return Done(code, *capsys.readouterr())

    return run_here


@pytest.fixture
def mission(tmp_path):
    path = tmp_path / "mission.py"
    path.write_text(MISSION)
    return path


@pytest.fixture
def damaged_dump(tmp_path, dump_of, make_packet):
    """Where what lies: see PLACES of the tests; 297 bytes."""
    run = dump_of(20)
    flipped = bytearray(run[5])
    flipped[12] ^= 1
    parts = [
        *run[:5], bytes(flipped),  # 0..119; the packet at 100 is damaged.
        b"\xff" * 13,  # 120..132: junk.
        run[6], run[9],  # 133..172; two are missing before 153.
        bytes(30),  # 173..202: fill.
        make_packet(2047, 0, b"idle" * 3, crc=False),  # 203..220
        make_packet(99, 1, b"abcdef", crc=False),  # 221..232: not in the definition.
        run[10], run[11][:7], run[12],  # 233..279; the one at 253 is cut short.
        run[13][:-3],  # 280..296: the input ends in it.
    ]  # fmt: skip
    path = tmp_path / "pass17.bin"
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture
def good_dump(tmp_path, dump_of):
    """Twenty good packets of APID 66."""
    path = tmp_path / "good.bin"
    path.write_bytes(b"".join(dump_of(20)))
    return path


@pytest.fixture
def housekeeping_of(make_packet):
    """Build a packet of HOUSEKEEPING: mode 1, heater 5, and a raw count of volts."""

    def build(count, raw_volts, *, mode=1):
        payload = bytes((mode << 4 | 5, 0)) + raw_volts.to_bytes(2, "big")
        return make_packet(66, count, payload)

    return build
