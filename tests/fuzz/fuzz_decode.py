# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of the decoder: no crash, no hang, no unbounded memory, no octet unaccounted for.

    python -m pip install atheris
    python tests/fuzz/fuzz_decode.py CORPUS -max_total_time=3600 -max_len=4096 \
        -timeout=20 -malloc_limit_mb=256 -rss_limit_mb=0

CORPUS is a folder that keeps what was found worth going on from; at first it is filled with seeds.
No input may take 20 s, or ask for 256 MB at once. (atheris itself grows by some 20 kB per input, so
that a limit on all memory would end it.) It is guided by the coverage of the package. `check` takes
one input and needs no atheris.
"""

import random
import struct
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import construct as c
from construct import this

if __name__ == "__main__":
    import atheris

    _instrumented = atheris.instrument_imports(include=["telemetry"])
else:
    _instrumented = nullcontext()

with _instrumented:
    from telemetry.columns.definition import define
    from telemetry.common.kernels import Kernels
    from telemetry.errors import TelemetryError
    from telemetry.ops.decode import decode_dumps, decode_to_files
    from telemetry.ops.ledger import Account
    from telemetry.ops.options import Options
    from telemetry.wire.crc import crc16
    from telemetry.wire.deframer import Deframer
    from telemetry.wire.framing import LengthField, encode_cobs, encode_kiss, encode_slip
    from telemetry.wire.scan import Scanner, packet_spans

STATE = c.Enum(c.Int8ub, off=0, on=1, safe=2)
FIXED = c.Struct(
    "number" / c.Int32ub,
    "bits" / c.BitStruct("a" / c.BitsInteger(12), "flag" / c.Flag, c.Padding(3)),
    "ratio" / c.Float32b,
    "packet_error_control" / c.Int16ub,
)
RAGGED = c.Struct(
    "n" / c.Int8ub,
    "events" / c.Array(this.n & 7, c.Struct("code" / STATE, "value" / c.Int16sl)),
    "tail" / c.GreedyBytes,
)
CHOICE = c.Struct(
    "kind" / c.Int8ub,
    "body" / c.Switch(this.kind & 3, {0: c.Int16ub, 1: c.Struct("y" / c.Float64l)}),
    "rest" / c.GreedyRange(c.Int16ub),
)
CHECKED = c.Struct("blob" / c.GreedyRange(c.Int8ub[2]), "packet_error_control" / c.Int16ub)
OPEN = c.Struct(
    "n" / c.Int16ub,
    "data" / c.Bytes(this.n % 40),
    "odd" / c.Computed(lambda context: 7 // context.n),
    "packet_error_control" / c.Int16ub,
)
DEFINITIONS = [
    define(item)
    for item in (
        {66: FIXED},
        {66: OPEN},
        {67: RAGGED, 66: FIXED},
        {0: RAGGED},
        RAGGED,
        OPEN,
        FIXED,
        {5: CHOICE, 1000: FIXED, 67: RAGGED},
    )
]
FRAMINGS = ["none", "none", "none", "kiss", "slip", "cobs", "length:2be", "length:4le:inclusive"]
FRAMINGS += ["length:1", "fixed:18"]
CHUNKS = [1, 7, 64, 1 << 20]
SETTINGS = struct.Struct("BBBB")


class Stream:
    """A dump that comes in chunks of one size."""

    name = "dump"

    def __init__(self, data: bytes, chunk: int) -> None:
        self._data, self._chunk, self._at = data, chunk, 0

    def read(self, _: int) -> bytes:
        start, self._at = self._at, self._at + self._chunk
        return self._data[start : self._at]


class Nothing:
    """A sink that looks at every value."""

    def __init__(self) -> None:
        self.rows = 0

    def take(self, table) -> None:
        self.rows += len(table.rows())


def check(data: bytes) -> None:
    """Decode `data`, whose first octets choose how, and compare what has to be equal."""
    if len(data) < SETTINGS.size:
        return
    which, how, skip, more = SETTINGS.unpack_from(data)
    stream = data[SETTINGS.size :]
    definition = DEFINITIONS[which % len(DEFINITIONS)]
    chunk = CHUNKS[more % len(CHUNKS)] if len(stream) < 2000 else 1 << 20
    try:
        options = Options(
            framing=FRAMINGS[how % len(FRAMINGS)],
            skip=skip % 6 if skip > 200 else 0,
            has_primary_header=how < 200,
            processes=1,
        )
        sink = Nothing()
        outcome = decode_dumps([Stream(stream, chunk)], definition, sink, options)
    except TelemetryError:
        return
    ledger = outcome.ledger
    assert sink.rows == ledger.rows
    if options.framing == "none" and not options.skip:
        assert sum(ledger.octets.values()) == len(stream)
        _compare_with_deframer(stream, definition, chunk)
    if ledger.rows and more >= 200:
        _write(stream, definition, options, ledger)


def _compare_with_deframer(stream: bytes, definition, chunk: int) -> None:
    """The scanner gives what its reference gives."""
    scanner, deframer = Scanner(definition.rules(), Kernels.NUMPY), Deframer(definition.rules())
    for start in range(0, len(stream), chunk):
        part = stream[start : start + chunk]
        assert _spans(scanner.scan(part)) == list(deframer.push(part))
    assert _spans(scanner.finish()) == list(deframer.close())


def _spans(scanned):
    return sorted([*packet_spans(scanned.packets), *scanned.others], key=lambda span: span.offset)


def _write(stream: bytes, definition, options: Options, ledger) -> None:
    """Files hold as many rows as the ledger says."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("csv", "jsonl"):
            path = Path(folder) / f"o.{suffix}"
            outcome = decode_to_files([stream], definition, path, options)
            texts = [output.read_text() for output in outcome.outputs]
            lines = sum(text.count("\n") - (suffix == "csv") for text in texts)
            assert lines == ledger.rows == outcome.ledger.rows
            assert outcome.ledger.octets[Account.GOOD] == ledger.octets[Account.GOOD]


# --- Seeds ----------------------------------------------------------------------------------------


def _packet(apid: int, count: int, payload: bytes, has_crc: bool) -> bytes:
    length = len(payload) + 2 * has_crc - 1
    packet = struct.pack(">HHH", apid, 0xC000 | count & 0x3FFF, length) + payload
    return packet + crc16(packet).to_bytes(2, "big") if has_crc else packet


def seeds(count: int = 200, seed: int = 1):
    """Yield inputs that hold packets, whole and broken, in every framing."""
    wrap = {
        "kiss": encode_kiss,
        "slip": encode_slip,
        "cobs": encode_cobs,
        "length:2be": LengthField(octets=2).encode,
        "length:4le:inclusive": LengthField(octets=4, order="little", is_inclusive=True).encode,
        "length:1": LengthField(octets=1).encode,
    }
    rng = random.Random(seed)
    for _ in range(count):
        which, how = rng.randrange(256), rng.randrange(256)
        framing = FRAMINGS[how % len(FRAMINGS)]
        parts = []
        for index in range(rng.randrange(12)):
            apid, size, has_crc = rng.choice(
                [(66, 10, True), (67, rng.randrange(1, 40), False), (0, 9, False), (5, 11, False),
                 (66, rng.randrange(2, 40), True), (0x7FF, 20, False), (1000, 10, True)]
            )  # fmt: skip
            packet = _packet(apid, index, rng.randbytes(size), has_crc)
            parts.append(wrap.get(framing, bytes)(packet))
        stream = bytearray(b"".join(parts))
        for _ in range(rng.randrange(3)):
            if stream:
                at = rng.randrange(len(stream))
                stream[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        yield SETTINGS.pack(which, how, rng.randrange(256), rng.randrange(256)) + bytes(stream)


def main() -> None:
    """Fuzz until told to stop; see the options of libFuzzer."""
    corpus = next((Path(a) for a in sys.argv[1:] if not a.startswith("-")), None)
    if corpus is not None:
        corpus.mkdir(exist_ok=True)
        if not any(corpus.iterdir()):
            for index, seed in enumerate(seeds()):
                (corpus / f"seed{index:03}").write_bytes(seed)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
