# SPDX-License-Identifier: Apache-2.0
"""The emitted encoder and decoder against the arithmetic model, under every one and two flips.

Configuration (JSON, named by FW_BENCH_CONFIG): `code` (as `fw-tools ecc` names it) and `data_bits`.
Top: `codec_harness`, which sweeps a flip over all codeword bits; lane j flips bit j.
"""

import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fw_tools.ecc import LinearCode, Verdict, decode, encode, minimum_distance
from fw_tools.ecc.codes import code_named

SEEDED_WORDS = 16
SEEDED_PAIRS = 200  # Each is one step, so that many times n triple flips are seen.


def configured_code() -> LinearCode:
    """Return the code under test."""
    config = json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text(encoding="utf-8"))
    return code_named(config["code"], config["data_bits"])


def data_words(data_bits: int) -> list[int]:
    """Return all-0, all-1, walking-1 and seeded words."""
    walking = [1 << i for i in range(data_bits)]
    seeded = [random.getrandbits(data_bits) for _ in range(SEEDED_WORDS)]
    return [0, (1 << data_bits) - 1, *walking, *seeded]


class CodecBench:
    """Drives the harness and compares all of its lanes with the model at once."""

    @classmethod
    async def start(cls, dut: Any) -> "CodecBench":
        """Return a bench on a harness that waits for its first sweep.

        Ports start random too, so setting start_i may have begun a sweep: it is let run out.
        """
        bench = cls(dut, configured_code())
        dut.start_i.value = 0
        await Timer(len(bench.lane_flips) + 1, "ns")
        return bench

    def __init__(self, dut: Any, code: LinearCode) -> None:
        self.dut = dut
        self.code = code
        flips = [1 << j for j in range(code.codeword_bits)]
        self.lane_flips = [*flips, 0]
        self.distance = minimum_distance(code.columns)
        self.is_started = False

    def due(self, flips: int) -> Verdict | None:
        """Return what has to come of so many flips; None: one word or the other."""
        if flips <= self.code.errors:
            return Verdict.CORRECTED if flips else Verdict.CLEAN
        return Verdict.UNCORRECTABLE if flips + self.code.errors < self.distance else None

    async def check(self, data: int, mask: int) -> list[Verdict]:
        """Compare every lane for one data word and one common mask; return the model's verdicts."""
        self.dut.data_i.value = data
        self.dut.mask_i.value = mask
        self.is_started = not self.is_started
        self.dut.start_i.value = self.is_started
        await self.dut.done_o.value_change
        codeword = encode(self.code, data)
        got = int(self.dut.codeword_o.value)
        assert got == codeword, f"encoder: data {data:#x} gives {got:#x}, model {codeword:#x}"
        wanted = [decode(self.code, codeword ^ mask ^ flip) for flip in self.lane_flips]
        verdicts = [decoded.verdict for decoded in wanted]
        place = f"data {data:#x}, common mask {mask:#x}"
        self._compare("data_o", self.code.data_bits, [d.data for d in wanted], place)
        self._compare("syndrome_o", self.code.check_bits, [d.syndrome for d in wanted], place)
        self._compare("corrected_o", 1, [v is Verdict.CORRECTED for v in verdicts], place)
        self._compare("uncorrectable_o", 1, [v is Verdict.UNCORRECTABLE for v in verdicts], place)
        return verdicts

    def _compare(self, port: str, bits: int, wanted: Sequence[int], place: str) -> None:
        packed = int("".join(f"{value:0{bits}b}" for value in reversed(wanted)), 2)
        got = int(getattr(self.dut, port).value)
        if got != packed:
            lane = ((got ^ packed) & -(got ^ packed)).bit_length() - 1
            flip = self.lane_flips[lane // bits]
            raise AssertionError(
                f"decoder: {port} differs from the model for {place}, flip {flip:#x}"
            )


@cocotb.test()
async def every_word_passes_and_every_single_flip_is_corrected(dut: Any) -> None:
    bench = await CodecBench.start(dut)
    n = bench.code.codeword_bits
    for data in data_words(bench.code.data_bits):
        verdicts = await bench.check(data, 0)
        assert verdicts == [Verdict.CORRECTED] * n + [Verdict.CLEAN]


@cocotb.test()
async def every_double_flip_is_corrected_or_reported(dut: Any) -> None:
    bench = await CodecBench.start(dut)
    n = bench.code.codeword_bits
    for data in data_words(bench.code.data_bits):
        for bit in range(n):
            verdicts = await bench.check(data, 1 << bit)
            assert verdicts[bit] == Verdict.CLEAN  # Flipped back.
            assert verdicts[n] == Verdict.CORRECTED  # Not flipped again.
            assert verdicts.count(bench.due(2)) - (bench.due(2) == Verdict.CORRECTED) == n - 1


@cocotb.test()
async def triple_flips_end_as_the_model_says(dut: Any) -> None:
    bench = await CodecBench.start(dut)
    n = bench.code.codeword_bits
    verdicts: list[Verdict] = []
    for _ in range(SEEDED_PAIRS):
        first, second = random.sample(range(n), 2)
        data = random.getrandbits(bench.code.data_bits)
        lanes = await bench.check(data, 1 << first | 1 << second)
        verdicts += [lanes[j] for j in range(n) if j not in (first, second)]
    assert Verdict.CLEAN not in verdicts  # Distance 4 or more: they never make a codeword.
    assert bench.due(3) in (None, *verdicts)
    wrong = verdicts.count(Verdict.CORRECTED)
    assert wrong == 0 or bench.due(3) is None
    share = 100 * wrong / len(verdicts)
    dut._log.info(f"{wrong} of {len(verdicts)} triple flips taken for fewer: {share:.1f} %")
