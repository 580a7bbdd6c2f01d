# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of the decoder: no crash, no hang, no unbounded memory, no octet unaccounted for.

    python -m pip install atheris
    python tests/fuzz/fuzz_decode.py CORPUS -max_total_time=3600 -max_len=8192 -len_control=0 \
        -timeout=20 -rss_limit_mb=0

CORPUS is a folder that keeps what was found worth going on from; at first it is filled with seeds.
It is guided by the coverage of the package. No input may take 20 s, or 64 MB of memory more than
there was before it. (atheris itself grows by some 20 kB per input, so that a limit on all memory
would end it.) `check` takes one input and needs no atheris.
"""

import random
import re
import struct
import sys
import tempfile
import warnings
from contextlib import nullcontext, suppress
from pathlib import Path

import construct as c
from construct import this

if __name__ == "__main__":
    import atheris

    _instrumented = atheris.instrument_imports(include=["telemetry"])
else:
    _instrumented = nullcontext()

with _instrumented:  # Also what is imported late elsewhere, so that its coverage counts.
    from telemetry import field
    from telemetry.columns.definition import define
    from telemetry.common.kernels import Kernels
    from telemetry.errors import TelemetryError
    from telemetry.ops.accounts import Account
    from telemetry.ops.decode import decode_dumps, decode_to_files
    from telemetry.ops.draft import render_definition
    from telemetry.ops.explain import explain, hex_lines
    from telemetry.ops.frame_ledger import FrameAccount
    from telemetry.ops.inspect import Wanted, inspect_packet
    from telemetry.ops.listing import Lister, any_definition
    from telemetry.ops.locate import locate
    from telemetry.ops.options import Options
    from telemetry.ops.statistics import Statistics
    from telemetry.ops.statistics_text import statistics_record
    from telemetry.ops.summary import summary_lines
    from telemetry.ops.survey import survey_chunks
    from telemetry.wire.crc import crc16
    from telemetry.wire.deframer import Deframer
    from telemetry.wire.framing import LengthField, encode_cobs, encode_kiss, encode_slip
    from telemetry.wire.pus import pus_fields
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
MEANT = c.Struct(
    *pus_fields(has_p_field=True),
    "mode" / c.Enum(c.Int8ub, off=0, on=1),
    "volts"
    / field(
        c.Int16sb,
        unit="V",
        calibration=(0, 0.01),
        limits={"warning": (-100, 100), "alarm": (-200, 200), "persistence": 2},
        valid_if=this.mode == "on",
    ),
    "ratio" / field(c.Float32b, limits={"alarm": (0, None)}),
    "tail" / c.GreedyRange(field(c.Int8ub, calibration=[(0, 5), (100, 7), (200, -1)])),
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
        {9: MEANT, 66: CHECKED},
        MEANT,
        CHECKED,
    )
]
FRAMINGS = ["none", "none", "none", "kiss", "slip", "cobs", "length:2be", "length:4le:inclusive"]
FRAMINGS += ["length:1", "fixed:18", "length:4be", "length:2le:inclusive"]
CHUNKS = [1, 7, 64, 1 << 20]
MAX_CHUNKS = 2000
SETTINGS = struct.Struct(">BBBBBBH")


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
    """Do with `data` what its first octets choose, and compare what has to be equal."""
    if len(data) < SETTINGS.size:
        return
    which, how, skip, more, task, extra, where = SETTINGS.unpack_from(data)
    stream = data[SETTINGS.size :]
    definition = DEFINITIONS[which % len(DEFINITIONS)]
    chunk = CHUNKS[more % len(CHUNKS)]
    chunk = chunk if len(stream) < chunk * MAX_CHUNKS else 1 << 20
    with suppress(TelemetryError):  # What does not fit together, or no packet there.
        options = _options(how, skip, extra, definition)
        TASKS[task % len(TASKS)](stream, definition, options, chunk, where)


def _options(how: int, skip: int, extra: int, definition) -> Options:
    is_segmented = bool(extra & 8) and how < 200
    return Options(
        reassemble=is_segmented,
        repeated_header=skip % 5 if is_segmented else 0,
        times=bool(extra & 0x10),
        merge="time" if extra & 0x20 and not is_segmented else "arrival",
        framing=FRAMINGS[how % len(FRAMINGS)],
        skip=skip % 6 if skip > 200 else 0,
        has_primary_header=how < 200,
        apid=next(iter(definition.by_apid), None) if extra & 1 else None,
        since="1960-01-01T00:00:00Z" if extra & 0xC0 == 0x40 else None,
        until="2030-01-01T00:00:00Z" if extra & 0xC0 == 0x80 else None,
        epoch="GPS" if extra & 2 else None,
        quality=bool(extra & 4),
    )


def _decode(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    sink = Nothing()
    outcome = decode_dumps([Stream(stream, chunk)], definition, sink, options)
    assert sink.rows <= outcome.ledger.rows
    if options.selection.is_everything:
        assert sink.rows == outcome.ledger.rows
    _assert_accounted(outcome, len(stream))
    if outcome.ledger.groups is not None:
        found = outcome.ledger.octets
        packets = found[Account.GOOD] + found[Account.UNCHECKED] + found[Account.DAMAGED]
        assert sum(outcome.ledger.groups.octets.values()) <= packets
    assert list(summary_lines("dump", outcome.ledger, outcome.frame_ledgers))
    if options.framing == "none" and not options.skip:
        rules = definition.rules(is_segmented=options.reassemble)
        _compare_with_deframer(stream, rules, chunk)


def _assert_accounted(outcome, octets: int) -> None:
    """The accounts hold every octet of the dumps, and of what their frames carry."""
    frames = outcome.frame_ledgers
    if frames:
        assert sum(sum(floor.octets.values()) for floor in frames) == octets
        at_least = sum(floor.octets[FrameAccount.PAYLOAD] for floor in frames)
        assert at_least <= sum(outcome.ledger.octets.values()) <= octets
    else:
        assert sum(outcome.ledger.octets.values()) == octets


def _compare_with_deframer(stream: bytes, rules, chunk: int) -> None:
    """The scanner gives what its reference gives."""
    scanner, deframer = Scanner(rules, Kernels.NUMPY), Deframer(rules)
    for start in range(0, len(stream), chunk):
        part = stream[start : start + chunk]
        assert _spans(scanner.scan(part)) == list(deframer.push(part))
    assert _spans(scanner.finish()) == list(deframer.close())


def _spans(scanned):
    return sorted([*packet_spans(scanned.packets), *scanned.others], key=lambda span: span.offset)


def _merge(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    """Two dumps that overlap."""
    parts = stream[: len(stream) - where % (len(stream) + 1)], stream[where % 97 :]
    dumps = [Stream(part, chunk) for part in parts]
    outcome = decode_dumps(dumps, definition, Nothing(), options)
    _assert_accounted(outcome, sum(map(len, parts)))


def _write(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    """Files hold as many rows as the ledger says."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("csv", "jsonl"):
            path = Path(folder) / f"o.{suffix}"
            outcome = decode_to_files([Stream(stream, chunk)], definition, path, options)
            texts = [output.read_text() for output in outcome.outputs]
            lines = sum(text.count("\n") - (suffix == "csv") for text in texts)
            if options.selection.is_everything:
                assert lines == outcome.ledger.rows
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", "".join(texts))


def _statistics(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    statistics = Statistics(definition, options)
    outcome = decode_dumps([Stream(stream, chunk)], definition, statistics, options)
    statistics_record(statistics, sum(outcome.ledger.octets.values()))


def _list(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    """What is listed is the whole dump, in order."""
    lister = Lister(definition if where % 2 else None, options)
    entries = list(lister.entries(_chunks(stream, chunk)))
    assert [entry.offset for entry in entries] == sorted(entry.offset for entry in entries)
    if not lister.frame_ledgers:
        assert sum(entry.octets for entry in entries) == len(stream)


def _explain(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    """Every octet of a dump belongs to something."""
    offset = where % (len(stream) + 1)
    known = definition if where & 0x8000 else None
    rules = (known or any_definition()).rules()
    located = locate(_chunks(stream, chunk), known or any_definition(), options, offset)
    floors = explain(located, known, rules)
    assert floors
    assert any("[" in line for line in hex_lines(located.window, offset))
    assert all(floor.title and all(map(all, floor.notes)) for floor in floors)


def _inspect(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    wanted = Wanted(number=where // 2 % 12 + 1) if where % 2 else Wanted(offset=where // 2)
    view = inspect_packet(_chunks(stream, chunk), definition, wanted, options)
    assert wanted.number is None or options.apid is not None or view.number == wanted.number
    assert sum(field.extent is not None for field in view.fields) or view.error is not None


def _init(stream: bytes, definition, options: Options, chunk: int, where: int) -> None:
    """A first definition reads the dump that it was drafted from."""
    survey = survey_chunks(_chunks(stream, chunk))
    assert survey.octets == len(stream)
    if not survey.apids:
        return
    names: dict[str, object] = {}
    exec(render_definition('d".bin\n\\', survey), names)
    sink = Nothing()
    outcome = decode_dumps([stream], define(names["PACKETS"]), sink)
    _assert_accounted(outcome, len(stream))


def _chunks(stream: bytes, chunk: int):
    return (stream[start : start + chunk] for start in range(0, len(stream), chunk))


TASKS = [_decode, _decode, _decode, _merge, _write, _statistics, _list, _explain, _inspect, _init]


# --- Seeds ----------------------------------------------------------------------------------------


def _packet(apid: int, count: int, payload: bytes, has_crc: bool, flags: int = 3) -> bytes:
    length = len(payload) + 2 * has_crc - 1
    packet = struct.pack(">HHH", apid, flags << 14 | count & 0x3FFF, length) + payload
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
        "length:4be": LengthField(octets=4).encode,
        "length:2le:inclusive": LengthField(octets=2, order="little", is_inclusive=True).encode,
    }
    rng = random.Random(seed)
    for _ in range(count):
        which, how, task = rng.randrange(256), rng.randrange(256), rng.randrange(256)
        framing = FRAMINGS[how % len(FRAMINGS)]
        parts = []
        for index in range(rng.randrange(rng.choice([12, 12, 12, 90]))):
            apid, size, has_crc = rng.choice(
                [(66, 10, True), (67, rng.randrange(1, 40), False), (0, 9, False), (5, 11, False),
                 (66, rng.randrange(2, 40), True), (0x7FF, 20, False), (1000, 10, True),
                 (9, rng.randrange(21, 40), False)]
            )  # fmt: skip
            payload = rng.randbytes(size)
            if apid == 9:
                payload = bytes.fromhex("20032500010000 2e 00010203 8000 01") + payload[14:]
            flags = rng.choice([0, 1, 2]) if rng.random() < 0.3 else 3
            packet = _packet(apid, index, payload, has_crc, flags)
            if rng.random() < 0.03:  # A wrong length, of any size.
                wrong = rng.randrange(1 << rng.randrange(4, 17)).to_bytes(2, "big")
                packet = packet[:4] + wrong + packet[6:]
            parts.append(wrap.get(framing, bytes)(packet))
        stream = bytearray(b"".join(parts))
        for _ in range(rng.randrange(3)):
            if stream:
                at = rng.randrange(len(stream))
                stream[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        extra = rng.choice([0, 1, 2, 4, 0x40, 0x82, 8, 9, 0x1C, 0x20, 0x32, 0x60])
        rest = [rng.randrange(256), rng.randrange(256), task, extra]
        yield SETTINGS.pack(which, how, *rest, rng.randrange(1 << 16)) + bytes(stream)


MAX_GROWTH_KB = 64 << 10


def _check_bounded(data: bytes) -> None:
    """Check `data`, and that it takes little memory on the way."""
    Path("/proc/self/clear_refs").write_text("5")  # Forget the peak.
    before = _status_kb("VmRSS")
    check(data)
    growth = _status_kb("VmHWM") - before
    assert growth < MAX_GROWTH_KB, f"{growth} kB of memory for {len(data)} octets"


def _status_kb(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status)[1])


def main() -> None:
    """Fuzz until told to stop; see the options of libFuzzer."""
    corpus = next((Path(a) for a in sys.argv[1:] if not a.startswith("-")), None)
    if corpus is not None:
        corpus.mkdir(exist_ok=True)
        if not any(corpus.iterdir()):
            for index, seed in enumerate(seeds()):
                (corpus / f"seed{index:03}").write_bytes(seed)
    warnings.simplefilter("error")  # Nobody who decodes a dump wants to see one.
    atheris.Setup(sys.argv, _check_bounded)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
