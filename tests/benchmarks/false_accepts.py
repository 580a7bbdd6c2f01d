# SPDX-License-Identifier: Apache-2.0
"""How often noise passes for a packet, per GB of noise, by what is known of the packets.

    python tests/benchmarks/false_accepts.py [SECONDS] [SEED]

Noise is uniform random octets. Each case takes so many CPU seconds (15). Beside the count stand the
rate that chance leads to expect of the header, the CRC and the header behind it, and the rate that
the count rules out: a higher one would have shown more packets in 95 of 100 runs. Where the noise
was too short for a single packet, the expected rate is the better figure of the two.
"""

import math
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
STRANGERS = (1 / 2**3) ** 6  # Six headers of version 0 in a row may do so too.
SIX_THAT_FIT = ANY_APID**6  # Needed where nearly every header fits.
ONE = ONE_APID * ONE_LENGTH
ANY = ANY_APID * ONE_LENGTH
CASES = {
    "known APID, one length, CRC": (
        StreamRules({66: PacketRule(min_octets=64, max_octets=64, has_crc=True)}),
        ONE * CRC,
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
        ANY * CRC,
    ),
    "any APID, any length, CRC": (
        StreamRules({}, PacketRule(min_octets=2, has_crc=True)),
        ANY_APID * CRC * SIX_THAT_FIT,
    ),
    "known APID, one length, no CRC": (
        StreamRules({66: PacketRule(min_octets=64, max_octets=64)}),
        ONE * (IDLE + STRANGERS + 2 * ONE),  # The one behind it that fits is taken, too.
    ),
    "known APID, any length, no CRC": (
        StreamRules({66: PacketRule()}),
        ONE_APID * (IDLE + STRANGERS + 2 * ONE_APID),
    ),
    "any APID, one length, no CRC": (
        StreamRules({}, PacketRule(min_octets=64, max_octets=64)),
        ANY * (IDLE + STRANGERS + 2 * ANY),
    ),
    "any APID, any length, no CRC": (
        StreamRules({}, PacketRule()),
        ANY_APID * SIX_THAT_FIT * 7,  # All of them are taken.
    ),
}


def false_accepts(rules: StreamRules, seconds: float, seed: int) -> tuple[int, float]:
    """Return how many packets noise gives as good, or as without a CRC, and its size in MB."""
    rng = np.random.default_rng(seed)
    scanner = Scanner(rules)
    found = chunks = 0
    until = time.process_time() + seconds
    while time.process_time() < until:
        found += int((scanner.scan(rng.bytes(CHUNK)).packets.verdicts < 2).sum())
        chunks += 1
    found += int((scanner.finish().packets.verdicts < 2).sum())
    return found, chunks * CHUNK / 1e6


def upper_bound(found: int) -> float:
    """Return the mean count at which so few, or fewer, are found in 5 of 100 runs (Poisson)."""
    low, high = float(found), found + 10 * math.sqrt(found + 1)
    while high - low > 1e-3:
        middle = (low + high) / 2
        terms = (k * math.log(middle) - middle - math.lgamma(k + 1) for k in range(found + 1))
        low, high = (middle, high) if sum(map(math.exp, terms)) > 0.05 else (low, middle)
    return high


def main() -> None:
    """Measure every case and print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    table = Table(title=f"False packets in noise, seed {seed}")
    for heading in ("what is known", "MB", "found", "per GB", "at most", "expected"):
        table.add_column(heading, justify="left" if heading == "what is known" else "right")
    for name, (rules, expected) in CASES.items():
        found, megabytes = false_accepts(rules, seconds, seed)
        rates = (found * 1000 / megabytes, upper_bound(found) * 1000 / megabytes)
        figures = (f"{found:,}", *map(_rate, rates), f"{expected * 1e9:.2g}")
        table.add_row(name, f"{megabytes:,.0f}", *figures)
    Console(width=110).print(table)


def _rate(per_gb: float) -> str:
    return f"{per_gb:,.0f}" if per_gb >= 10 else f"{per_gb:.2g}"


if __name__ == "__main__":
    main()
