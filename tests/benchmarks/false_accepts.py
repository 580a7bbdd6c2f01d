# SPDX-License-Identifier: Apache-2.0
"""How often noise passes for a packet, per GB of noise, by what is known of the packets.

    python tests/benchmarks/false_accepts.py [MEGABYTES] [SEED]

Noise is uniform random octets. Beside the count stands what the header alone, the CRC, and the
header behind it lead to expect; where less than one packet is expected, only that figure tells.
"""

import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.scan import Scanner

CHUNK = 1 << 20
# Probabilities at one octet of noise.
ONE_APID = 2 / 2**16  # Version 0, telemetry, this APID, a secondary header or not.
ANY_APID = 1 / 2**4  # Version 0, telemetry.
ONE_LENGTH = 1 / 2**16
CRC = 1 / 2**16
IDLE = 1 / 2**14  # Version 0, APID 2047: what may follow any packet.
CASES = {
    "known APID, one length, CRC": (
        StreamRules({66: PacketRule(min_octets=64, max_octets=64, has_crc=True)}),
        ONE_APID * ONE_LENGTH * CRC,
    ),
    "known APID, any length, CRC": (
        StreamRules({66: PacketRule(min_octets=2, has_crc=True)}),
        ONE_APID * CRC,
    ),
    "100 known APIDs, any length, CRC": (
        StreamRules({apid: PacketRule(min_octets=2, has_crc=True) for apid in range(300, 400)}),
        100 * ONE_APID * CRC,
    ),
    "any APID, one length, CRC": (
        StreamRules({}, PacketRule(min_octets=64, max_octets=64, has_crc=True)),
        ANY_APID * ONE_LENGTH * CRC,
    ),
    "any APID, any length, CRC": (
        StreamRules({}, PacketRule(min_octets=2, has_crc=True)),
        None,
    ),
    "known APID, one length, no CRC": (
        StreamRules({66: PacketRule(min_octets=64, max_octets=64)}),
        ONE_APID * ONE_LENGTH * (IDLE + ONE_APID * ONE_LENGTH),
    ),
    "known APID, any length, no CRC": (
        StreamRules({66: PacketRule()}),
        ONE_APID * (IDLE + ONE_APID),
    ),
    "any APID, one length, no CRC": (
        StreamRules({}, PacketRule(min_octets=64, max_octets=64)),
        ANY_APID * ONE_LENGTH * (IDLE + ANY_APID * ONE_LENGTH),
    ),
    "any APID, any length, no CRC": (StreamRules({}, PacketRule()), None),
}


def false_accepts(rules: StreamRules, megabytes: int, seed: int) -> int:
    """Return how many packets are handed out as good, or as without a CRC, from noise."""
    rng = np.random.default_rng(seed)
    scanner = Scanner(rules)
    found = 0
    for _ in range(megabytes * 1_000_000 // CHUNK):
        found += int((scanner.scan(rng.bytes(CHUNK)).packets.verdicts < 2).sum())
    return found + int((scanner.finish().packets.verdicts < 2).sum())


def main() -> None:
    """Measure every case and print the table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    table = Table(title=f"False packets per GB of noise; {megabytes} MB each, seed {seed}")
    for heading in ("what is known", "found", "per GB", "expected per GB"):
        table.add_column(heading, justify="left" if heading == "what is known" else "right")
    for name, (rules, expected) in CASES.items():
        started = time.monotonic()
        found = false_accepts(rules, megabytes, seed)
        per_gb = f"{found * 1000 / megabytes:.3g}" if found else f"< {1000 / megabytes:.3g}"
        table.add_row(name, str(found), per_gb, "" if expected is None else f"{expected * 1e9:.2g}")
        print(f"{name}: {found} in {time.monotonic() - started:.0f} s", file=sys.stderr)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
