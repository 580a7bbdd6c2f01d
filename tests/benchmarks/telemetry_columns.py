# SPDX-License-Identifier: Apache-2.0
"""How quickly packets become columns, beside who else does it, in the same run.

All times are CPU time of this process. The inputs are made here, from a seed; before anything is
timed, the values of both sides are compared.
"""

import contextlib
import gc
import io
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import construct
import numpy as np
from rows import Case, Measurement

import telemetry
from telemetry.columns.plan import compile_packet
from telemetry.wire.batch import PacketBatch

FIXED_PACKETS = 2_860_000  # 200 MB
VARIABLE_PACKETS = 300_000  # 50 MB
VARIABLE_PACKETS_OF_PEER = 8_000
PACKETS_OF_CONSTRUCT = 4_000
TAIL_OCTETS = 192  # At most; none at least.
BLOCK = 16_384
PACKET = np.dtype(
    [
        ("identification", ">u2"),
        ("sequence", ">u2"),
        ("length", ">u2"),
        ("COARSE", ">u4"),
        ("FINE", ">u2"),
        ("modes", "u1"),
        ("FLAGS", "u1"),
        ("temperatures", "u1", (12,)),
        ("V", ">f4", (4,)),
        ("I", ">i2", (4,)),
        ("SEQ24", "u1", (3,)),
        ("ERRCNT", "u1"),
        ("Q", ">f8"),
        ("CTR", ">u4"),
        ("SPARE", ">u2"),
        ("CHK", ">u2"),
    ]
)
HEADER_OCTETS = 6
FIXED_OCTETS = PACKET.itemsize - HEADER_OCTETS
FIELDS = (  # name, type and bits as ccsdspy says them
    ("COARSE", "uint", 32),
    ("FINE", "uint", 16),
    ("MODE", "uint", 3),
    ("SUB", "uint", 5),
    ("FLAGS", "uint", 8),
    *((f"T{i}", "uint", 12) for i in range(8)),
    *((f"V{i}", "float", 32) for i in range(4)),
    *((f"I{i}", "int", 16) for i in range(4)),
    ("SEQ24", "uint", 24),
    ("ERRCNT", "uint", 8),
    ("Q", "float", 64),
    ("CTR", "uint", 32),
    ("SPARE", "uint", 16),
    ("CHK", "uint", 16),
)
LAYOUT = (
    "COARSE" / construct.Int32ub,
    "FINE" / construct.Int16ub,
    "modes"
    / construct.BitStruct("MODE" / construct.BitsInteger(3), "SUB" / construct.BitsInteger(5)),
    "FLAGS" / construct.Int8ub,
    "temperatures" / construct.BitStruct(*(f"T{i}" / construct.BitsInteger(12) for i in range(8))),
    *(f"V{i}" / construct.Float32b for i in range(4)),
    *(f"I{i}" / construct.Int16sb for i in range(4)),
    "SEQ24" / construct.Int24ub,
    "ERRCNT" / construct.Int8ub,
    "Q" / construct.Float64b,
    "CTR" / construct.Int32ub,
    "SPARE" / construct.Int16ub,
    "CHK" / construct.Int16ub,
)
FIXED = construct.Struct(*LAYOUT)
VARIABLE = construct.Struct(*LAYOUT, "tail" / construct.GreedyBytes)


def fixed_34_columns() -> list[Measurement]:
    """Seven header fields and 27 of the user, in packets of 70 octets."""
    packets = _packets(FIXED_PACKETS)
    octets = packets.view(np.uint8)
    batch = _batch(octets, np.full(len(packets), PACKET.itemsize))
    plan = compile_packet(FIXED, "PACKET")
    megabytes = len(octets) / 1e6
    with _file(octets) as path, _quiet():
        _require_equal(plan.extract(batch), by_hand(packets), load_fixed(path))
        seconds = _best(
            ours=lambda: plan.extract(batch),
            hand=lambda: by_hand(packets),
            ccsdspy=lambda: load_fixed(path),
        )
    speed = {name: megabytes / value for name, value in seconds.items()}
    return [
        _measurement("fixed_34_columns", speed["ours"], "ccsdspy FixedLength", speed["ccsdspy"]),
        _measurement("fixed_34_columns_limit", speed["ours"], "numpy by hand", speed["hand"]),
    ]


def variable_tail() -> list[Measurement]:
    """The same fields, and a tail of 0 to 192 octets: columns, and tails as values and offsets.

    Once with no more than the walk along the lengths that the peer does, too, and once as a dump
    is decoded: every header judged, every octet and sequence count booked.
    """
    packets = _packets(VARIABLE_PACKETS)
    octets, lengths = _with_tails(packets)
    dump = octets.tobytes()
    plan = compile_packet(VARIABLE, "PACKET")
    few = int(lengths[:VARIABLE_PACKETS_OF_PEER].sum())
    with _file(octets[:few]) as path, _quiet(), _kernels("numpy"):
        peer_columns = load_variable(path)
        _require_equal_tails(plan.extract(_walk(octets)).columns, peer_columns)
        _require_equal_tails(telemetry.decode(dump, VARIABLE).table().columns, peer_columns)
        seconds = _best(
            plain=lambda: plan.extract(_walk(octets)),
            decoded=lambda: sum(len(table) for table in telemetry.batches(dump, VARIABLE)),
            peer=lambda: load_variable(path),
        )
    peer = few / 1e6 / seconds["peer"]
    return [
        _measurement(case, len(dump) / 1e6 / seconds[name], "ccsdspy VariableLength", peer)
        for case, name in (("variable_tail", "plain"), ("variable_tail_decoded", "decoded"))
    ]


def construct_compiled() -> list[Measurement]:
    """The same definition, compiled by us and by construct."""
    packets = _packets(FIXED_PACKETS // 4)
    octets = packets.view(np.uint8)
    batch = _batch(octets, np.full(len(packets), PACKET.itemsize))
    plan, compiled = compile_packet(FIXED, "PACKET"), FIXED.compile()
    few = [
        octets[at + HEADER_OCTETS : at + PACKET.itemsize].tobytes()
        for at in range(0, PACKETS_OF_CONSTRUCT * PACKET.itemsize, PACKET.itemsize)
    ]
    parsed = [compiled.parse(data) for data in few]
    columns = plan.extract(batch).columns
    assert columns["CTR"].raw[: len(few)].tolist() == [value.CTR for value in parsed]
    assert columns["temperatures.T5"].raw[: len(few)].tolist() == [
        value.temperatures.T5 for value in parsed
    ]
    ours = len(octets) / 1e6 / _seconds(lambda: plan.extract(batch))
    peer = len(few) * FIXED_OCTETS / 1e6 / _seconds(lambda: [compiled.parse(data) for data in few])
    return [_measurement("construct_compiled", ours, "construct.compile()", peer)]


def by_hand(packets: np.ndarray, block: int = BLOCK) -> dict[str, np.ndarray]:
    """Return the 34 columns as one would write them in numpy for this packet alone."""
    out: dict[str, np.ndarray] = {}
    for first in range(0, len(packets), block):
        found = _block_by_hand(packets[first : first + block])
        out = out or {name: np.empty(len(packets), a.dtype) for name, a in found.items()}
        for name, values in found.items():
            out[name][first : first + block] = values
    return out


def _block_by_hand(a: np.ndarray) -> dict[str, np.ndarray]:
    word, sequence = a["identification"].astype("u2"), a["sequence"].astype("u2")
    out = {
        "packet_version": (word >> 13).astype("u1"),
        "packet_type": (word >> 12 & 1).astype("u1"),
        "secondary_header_flag": (word >> 11 & 1).astype("u1"),
        "apid": word & 0x7FF,
        "sequence_flags": (sequence >> 14).astype("u1"),
        "sequence_count": sequence & 0x3FFF,
        "data_length": a["length"].astype("u2"),
        "MODE": a["modes"] >> 5,
        "SUB": a["modes"] & 31,
        "FLAGS": a["FLAGS"].copy(),
        "ERRCNT": a["ERRCNT"].copy(),
        "Q": a["Q"].astype("f8"),
    }
    out |= {name: a[name].astype("u4") for name in ("COARSE", "CTR")}
    out |= {name: a[name].astype("u2") for name in ("FINE", "SPARE", "CHK")}
    for pair in range(4):
        high, middle, low = (a["temperatures"][:, 3 * pair + i] for i in range(3))
        middle = middle.astype("u2")
        out[f"T{2 * pair}"] = high.astype("u2") << 4 | middle >> 4
        out[f"T{2 * pair + 1}"] = (middle & 15) << 8 | low
    for index in range(4):
        out[f"V{index}"] = a["V"][:, index].astype("f4")
        out[f"I{index}"] = a["I"][:, index].astype("i2")
    high, middle, low = (a["SEQ24"][:, i] for i in range(3))
    out["SEQ24"] = high.astype("u4") << 16 | middle.astype("u4") << 8 | low
    return out


def load_fixed(path: Path) -> dict[str, Any]:
    """Return the columns that ccsdspy gives."""
    import ccsdspy

    reader = ccsdspy.FixedLength(_peer_fields())
    return dict(reader.load(str(path), include_primary_header=True))


def load_variable(path: Path) -> dict[str, Any]:
    """Return the columns that ccsdspy gives, the tail as an array per packet."""
    import ccsdspy

    tail = ccsdspy.PacketArray(name="tail", data_type="uint", bit_length=8, array_shape="expand")
    reader = ccsdspy.VariableLength([*_peer_fields(), tail])
    return dict(reader.load(str(path), include_primary_header=True))


def _peer_fields() -> list[Any]:
    import ccsdspy

    return [ccsdspy.PacketField(name=n, data_type=t, bit_length=b) for n, t, b in FIELDS]


def _packets(count: int) -> np.ndarray:
    random = np.random.default_rng(20)
    packets = random.integers(0, 256, (count, PACKET.itemsize), np.uint8).view(PACKET)[:, 0]
    number = np.arange(count)
    packets["identification"] = 1 << 11 | 100
    packets["sequence"] = 0xC000 | number & 0x3FFF
    packets["length"] = FIXED_OCTETS - 1
    packets["CTR"] = number
    packets["V"] = random.normal(28, 2, (count, 4))
    packets["Q"] = random.normal(size=count)
    return packets


def _with_tails(packets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(21)
    tails = random.integers(0, TAIL_OCTETS + 1, len(packets))
    packets["length"] += tails.astype(np.uint16)
    lengths = PACKET.itemsize + tails
    starts = np.cumsum(lengths) - lengths
    octets = random.integers(0, 256, int(lengths.sum()), np.uint8)
    octets[starts[:, None] + np.arange(PACKET.itemsize)] = packets.view(np.uint8).reshape(
        len(packets), -1
    )
    return octets, lengths


def _batch(octets: np.ndarray, lengths: np.ndarray) -> PacketBatch:
    starts = np.cumsum(lengths) - lengths
    return PacketBatch(octets, starts, lengths, 0, np.zeros(len(lengths), np.uint8))


def _walk(octets: np.ndarray) -> PacketBatch:
    """Find the packets by their lengths alone, in Python: what the peer does, too."""
    data, at, starts = memoryview(octets), 0, []
    while at < len(data):
        starts.append(at)
        at += 7 + (data[at + 4] << 8 | data[at + 5])
    return _batch(octets, np.diff(np.array([*starts, at])))


def _require_equal(ours: Any, hand: dict[str, np.ndarray], peer: dict[str, Any]) -> None:
    """Check that all three found the same in every packet."""
    columns = {name.rpartition(".")[2]: column for name, column in ours.columns.items()}
    for name, values in hand.items():
        assert columns[name].raw.dtype == values.dtype, name
        assert np.array_equal(columns[name].raw, values), name
    for name, _, _ in FIELDS:
        assert np.array_equal(columns[name].raw, np.asarray(peer[name])), name


def _require_equal_tails(columns: Any, peer: dict[str, Any]) -> None:
    """Check that the peer found the same, in the packets that it was given."""
    tail = columns["tail"]
    for index, found in enumerate(peer["tail"]):
        ours = tail.raw[tail.offsets[index] : tail.offsets[index + 1]]
        assert np.array_equal(ours, found), index
    assert np.array_equal(columns["CHK"].raw[: len(peer["CHK"])], peer["CHK"])


def _measurement(case: str, ours: float, peer: str, peer_value: float) -> Measurement:
    return Measurement(
        case=f"telemetry/{case}",
        ours=ours,
        unit="MB/cpu-s",
        better="higher",
        peer=peer,
        peer_value=peer_value,
    )


def _best(**contenders: Callable[[], object]) -> dict[str, float]:
    """Return the least seconds of each of three runs, taken in turns."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(3):
        for name, work in contenders.items():
            best[name] = min(best[name], _seconds(work, repeats=1))
    return best


def _seconds(work: Callable[[], object], repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


@contextlib.contextmanager
def _file(octets: np.ndarray) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "packets.bin"
        octets.tofile(path)
        yield path


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the peer's log lines, warnings and progress out of the table."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


@contextlib.contextmanager
def _kernels(name: str) -> Iterator[None]:
    before = os.environ.get("TELEMETRY_KERNELS")
    os.environ["TELEMETRY_KERNELS"] = name
    yield
    del os.environ["TELEMETRY_KERNELS"]
    if before is not None:
        os.environ["TELEMETRY_KERNELS"] = before


CASES: dict[str, Case] = {
    "telemetry/fixed_34_columns": fixed_34_columns,
    "telemetry/variable_tail": variable_tail,
    "telemetry/construct_compiled": construct_compiled,
}
