# SPDX-License-Identifier: Apache-2.0
"""Which share of the undamaged packets comes back from a damaged stream.

    python tests/benchmarks/damage_shares.py [STREAMS] [SEED]

Each stream (10) has 2,000 packets of one or three APIDs, of which every 20th, or every 5th, has a
damaged length, octets inserted or lost, or a flipped bit. Wrong is what is handed out as good, or
as without a CRC, and was not sent: nothing tells damaged contents of a packet without a CRC.
"""

import binascii
import random
import struct
import sys
from collections import Counter
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Table

from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.scan import Scanner

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from damage import damaged

PACKETS = 2000
FIXED_OCTETS = 64
APIDS = (67, 300, 1000)


def make_run(rng: random.Random, apids: tuple[int, ...], *, crc: bool, fixed: bool) -> list[bytes]:
    """Return packets with random bodies, in random order of their APIDs."""
    counts: Counter[int] = Counter()
    run = []
    for _ in range(PACKETS):
        apid = rng.choice(apids)
        body = rng.randbytes(FIXED_OCTETS if fixed else rng.randrange(4, 97))
        header = struct.pack(">HHH", apid, 0xC000 | counts[apid], len(body) + 2 * crc - 1)
        packet = header + body
        run.append(packet + binascii.crc_hqx(packet, 0xFFFF).to_bytes(2, "big") * crc)
        counts[apid] += 1
    return run


def rules_for(apids: tuple[int, ...], *, crc: bool, fixed: bool, known: bool) -> StreamRules:
    """Return what the definition of such packets says."""
    octets = FIXED_OCTETS + 2 * crc
    sizes = {"min_octets": octets, "max_octets": octets} if fixed else {"min_octets": 1 + 2 * crc}
    rule = PacketRule(has_crc=crc, **sizes)
    return StreamRules(dict.fromkeys(apids, rule)) if known else StreamRules({}, rule)


def found_in(stream: bytes, rules: StreamRules) -> Counter[bytes]:
    """Return the packets that no CRC speaks against."""
    scanner = Scanner(rules)
    found: Counter[bytes] = Counter()
    for packets in (scanner.scan(stream).packets, scanner.finish().packets):
        found.update(packets.packet(i) for i, v in enumerate(packets.verdicts.tolist()) if v < 2)
    return found


def measure(every: int, crc: bool, fixed: bool, known: bool, streams: int, seed: int) -> list[str]:
    """Return the figures of one row."""
    sent = back = wrong = hit = 0
    for number in range(streams):
        rng = random.Random(f"{seed} {number}")
        apids = APIDS[: 1 + 2 * (number % 2)]
        run = make_run(rng, apids, crc=crc, fixed=fixed)
        stream, undamaged = damaged(run, every, rng)
        found = found_in(stream, rules_for(apids, crc=crc, fixed=fixed, known=known))
        intact = (found & Counter(undamaged)).total()
        sent, back = sent + len(undamaged), back + intact
        wrong, hit = wrong + found.total() - intact, hit + len(run) - len(undamaged)
    return [f"{back:,} of {sent:,}", f"{100 * back / sent:.2f} %", f"{wrong:,} of {hit:,}"]


def main() -> None:
    """Measure every case and print the table."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    table = Table(title=f"Packets back from damaged streams, seed {seed}")
    for heading in ("packets", "damaged", "undamaged back", "share", "wrong of damaged"):
        table.add_column(heading, justify="left" if heading == "packets" else "right")
    for crc, fixed, known, every in product((True, False), (True, False), (True, False), (20, 5)):
        words = ("known APIDs" if known else "any APID", "one length" if fixed else "any length")
        name = ", ".join((*words, "CRC" if crc else "no CRC"))
        table.add_row(name, f"1 in {every}", *measure(every, crc, fixed, known, streams, seed))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
