# SPDX-License-Identifier: Apache-2.0
"""The way from a dump to columns and files: CRC, the start of the command, memory."""

import binascii
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rows import ROOT, Case, Measurement

from telemetry.common.kernels import VARIABLE, Kernels
from telemetry.wire.crc_rows import crc16_rows

CRC_PACKETS = 2_000_000
CRC_PACKET_OCTETS = 68
JPSS_DUMP = "jpss_geolocation/J01_G011_LZ_2021-04-09T00-00-00Z_V01.DAT1"
MEMORY_OCTETS = (200_000_000, 2_000_000_000)
# A counter goes round in one block, so that any number of blocks is a stream without a gap.
BLOCK_PACKETS = 1 << 14
DEFINITION = """
from construct import *

PACKET = Struct(
    "coarse" / Int32ub, "fine" / Int16ub, "values" / Array(13, Float32b), "state" / Int32ub,
    "packet_error_control" / Int16ub,
)
PACKETS = {66: PACKET}
"""
ITERATE = """
import sys
import telemetry
for packets in telemetry.batches("-", "definition.py:PACKETS"):
    packets["coarse"]
"""
COMMAND = """
from telemetry.cli import main
import sys
sys.argv = ["fw-telemetry", "decode", "-", "--definition", "definition.py:PACKETS",
            "--columns", "sequence_count,coarse", "-o", "out.csv"]
main()
"""
PEAK = """
import atexit, re
@atexit.register
def tell():
    with open("/proc/self/status") as status:
        with open("peak", "w") as peak:
            peak.write(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])
"""


def crc_many_short_packets() -> list[Measurement]:
    """The CRC-16 of each of many packets of 68 octets, in CPU time."""
    octets = np.frombuffer(np.random.default_rng(16).bytes(CRC_PACKETS * CRC_PACKET_OCTETS), "u1")
    starts = np.arange(CRC_PACKETS, dtype=np.int64) * CRC_PACKET_OCTETS
    lengths = np.full(CRC_PACKETS, CRC_PACKET_OCTETS)
    started = time.process_time()
    data = octets.data
    ends = (starts + CRC_PACKET_OCTETS).tolist()
    expected = [
        binascii.crc_hqx(data[start:end], 0xFFFF)
        for start, end in zip(starts.tolist(), ends, strict=True)
    ]
    peer = len(octets) / (time.process_time() - started) / 1e6
    found = []
    for kernels, case in ((Kernels.NUMBA, ""), (Kernels.NUMPY, "_numpy")):
        crcs = crc16_rows(octets, starts, lengths, kernels)
        assert crcs.tolist() == expected
        ours = max(_crc_rate(octets, starts, lengths, kernels) for _ in range(5))
        found.append(
            Measurement(
                case=f"telemetry/crc_many_short_packets{case}",
                ours=ours,
                unit="MB/cpu-s",
                better="higher",
                peer="binascii.crc_hqx in a loop",
                peer_value=peer,
            )
        )
    return found


def _crc_rate(
    octets: np.ndarray, starts: np.ndarray, lengths: np.ndarray, kernels: Kernels
) -> float:
    """Go through the packets in batches of about a megabyte, as a dump is read."""
    started = time.process_time()
    for at in range(0, len(starts), BLOCK_PACKETS):
        part = slice(at, at + BLOCK_PACKETS)
        crc16_rows(octets, starts[part], lengths[part], kernels)
    return len(octets) / (time.process_time() - started) / 1e6


def jpss_to_csv_cold_process() -> list[Measurement]:
    """Wall time of a whole process from a dump of 511 kB to CSV.

    The code is compiled by the first run, as an installed package is.
    """
    dump = Path(os.environ.get("FW_TEST_DATA", ROOT.parent / "shared" / "data")) / JPSS_DUMP
    if not dump.exists():
        print(f"  left out: no {dump}; name the folder of recorded dumps in FW_TEST_DATA")
        return []
    with tempfile.TemporaryDirectory() as folder:
        definition = ROOT / "examples" / "noaa20_geolocation.py"
        command = [Path(sys.executable).with_name("fw-telemetry"), "decode", dump]
        command += ["--definition", f"{definition}:PACKET", "-o", Path(folder) / "out.csv"]
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(folder) / "compiled")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        seconds = min(_seconds(command, environment) for _ in range(6))
        assert len((Path(folder) / "out.csv").read_text().splitlines()) == 7201
    return [
        Measurement(
            case="telemetry/jpss_to_csv_cold_process", ours=seconds, unit="s", better="lower"
        )
    ]


def _seconds(command: list[object], environment: dict[str, str]) -> float:
    started = time.monotonic()
    arguments = [str(part) for part in command]
    subprocess.run(arguments, check=True, capture_output=True, env=environment)
    return time.monotonic() - started


def peak_memory() -> list[Measurement]:
    """Peak resident memory of the iterator and of the command, for a short and a long stream."""
    found = []
    for kernels in Kernels:
        worst = {
            octets: max(_peak_mb(program, octets, kernels) for program in (ITERATE, COMMAND))
            for octets in MEMORY_OCTETS
        }
        for octets, peak in worst.items():
            size = "200_mb" if octets < 1e9 else "2_gb"
            found.append(
                Measurement(
                    case=f"telemetry/peak_memory_mb_{kernels}_{size}",
                    ours=peak,
                    unit="MB",
                    better="lower",
                )
            )
    return found


def _peak_mb(program: str, octets: int, kernels: Kernels) -> float:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "definition.py").write_text(DEFINITION)
        process = subprocess.Popen(
            [sys.executable, "-c", PEAK + program],
            cwd=folder,
            env={**os.environ, VARIABLE: str(kernels)},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        block = _block()
        for _ in range(octets // len(block)):
            process.stdin.write(block)
        _, messages = process.communicate()
        assert process.returncode == 0, messages.decode()
        return int((Path(folder) / "peak").read_text()) / 1024


def _block() -> bytes:
    """Return packets of 70 octets, one for each sequence count."""
    body = np.random.default_rng(70).integers(0, 256, (BLOCK_PACKETS, 68), np.uint8)
    body[:, :6] = [0x08, 0x42, 0xC0, 0, 0, 63]
    counts = np.arange(BLOCK_PACKETS)
    body[:, 2] |= (counts >> 8).astype(np.uint8)
    body[:, 3] = counts & 0xFF
    crcs = np.array([binascii.crc_hqx(row.tobytes(), 0xFFFF) for row in body], ">u2")
    return np.hstack([body, crcs.view(np.uint8).reshape(-1, 2)]).tobytes()


CASES: dict[str, Case] = {
    "telemetry/crc_many_short_packets": crc_many_short_packets,
    "telemetry/jpss_to_csv_cold_process": jpss_to_csv_cold_process,
    "telemetry/peak_memory_mb": peak_memory,
}
