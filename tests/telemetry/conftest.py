# SPDX-License-Identifier: Apache-2.0
"""Streams for the telemetry tests, built by libraries that are not under test."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import crcmod.predefined
import pytest
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader

# Modules that need an extra or a peer; all others are marked `base` and run without any extra.
BEYOND_BASE = {
    "test_calibration.py": "ccsdspy",
    "test_csv_definition.py": "ccsdspy",
    "test_decode_command.py": "pyarrow",
    "test_decode_options.py": "pyarrow",
    "test_kernels.py": "numba",
    "test_pipeline.py": "pyarrow",
    "test_processes.py": "plotly",
    "test_report.py": "plotly",
    "test_rows.py": "pyarrow",
    "test_scan.py": "numba",
    "test_slow.py": "plotly",
}

_crc = crcmod.predefined.mkCrcFun("crc-ccitt-false")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the modules whose library is absent, as in the run of the base install."""
    needed = BEYOND_BASE.get(collection_path.name)
    return True if needed and find_spec(needed) is None else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder that the base install can run."""
    for item in items:
        is_here = Path(__file__).parent in item.path.parents
        needs_more = item.path.name in BEYOND_BASE or item.get_closest_marker("beyond_base")
        if is_here and not needs_more:
            item.add_marker(pytest.mark.base)


class MakePacket(Protocol):
    def __call__(self, apid: int, count: int, payload: bytes, *, crc: bool = True) -> bytes: ...


@pytest.fixture(scope="session")
def make_packet() -> MakePacket:
    """Build a telemetry packet: header by `spacepackets`, CRC by `crcmod`."""

    def make(apid: int, count: int, payload: bytes, *, crc: bool = True) -> bytes:
        header = SpacePacketHeader(
            packet_type=PacketType.TM,
            apid=apid,
            seq_count=count % 16384,
            data_len=len(payload) + 2 * crc - 1,
            sec_header_flag=False,
            seq_flags=SequenceFlags.UNSEGMENTED,
        )
        packet = bytes(header.pack()) + payload
        return packet + _crc(packet).to_bytes(2, "big") if crc else packet

    return make


DEFINITION = """
from construct import *

PACKET = Struct("number" / Int32ub, "data" / Bytes(8), "packet_error_control" / Int16ub)
PLAIN = Struct("number" / Int32ub, "data" / Bytes(8))
PACKETS = {66: PACKET, 67: PLAIN}
"""


@pytest.fixture
def definition_file(tmp_path: Path) -> Path:
    """A definition file: APID 66 with a CRC (14 data octets), APID 67 without (12)."""
    path = tmp_path / "mission.py"
    path.write_text(DEFINITION)
    return path


@pytest.fixture(scope="session")
def dump_of(make_packet: MakePacket):
    """Build a run of packets that fit PACKET (or, without CRC, PLAIN) of the definition file."""

    def build(count: int, *, apid: int = 66, first: int = 0, crc: bool = True) -> list[bytes]:
        return [
            make_packet(apid, i, i.to_bytes(4, "big") + bytes(range(i % 200, i % 200 + 8)), crc=crc)
            for i in range(first, first + count)
        ]

    return build


@pytest.fixture(scope="session")
def run_telemetry():
    """Run the real command in a process of its own."""

    def run(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("fw-telemetry")), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, **options
        )

    return run
