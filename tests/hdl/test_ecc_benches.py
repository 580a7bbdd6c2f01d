# SPDX-License-Identifier: Apache-2.0
"""The ECC benches pass and their sources are lint clean, beyond the sizes of the example."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from fw_tools.ecc.records import MemorySpec
from fw_tools.flow.benches.ecc import codec_bench, memory_bench
from fw_tools.report.records import Status
from fw_tools.rtl.codec import render_codec
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.memory import render_memory
from fw_tools.sim.build import BuildOptions, build, lint
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.records import BenchSpec

CODEC_TESTS = 3
MEMORY_TESTS = 22


def write(files: Iterable[GeneratedFile], folder: Path) -> tuple[Path, ...]:
    paths = []
    for file in files:
        paths.append(folder / file.path.name)
        paths[-1].write_text(file.text)
    return tuple(paths)


def require_green(bench: BenchSpec, tests: int, folder: Path, seed: int) -> None:
    options = BuildOptions(work=folder / "work")
    assert lint(bench, options) == ()
    records = run(build(bench, options), bench, RunOptions(work=folder / "work", seed=seed))
    failed = [f"{r.test}: {r.message}" for r in records if r.status is not Status.PASSED]
    assert not failed, "\n".join(failed)
    assert len(records) == tests


CODES = [
    *(("hsiao", k) for k in (4, 8, 32, 64)),
    *(("secded", k) for k in (5, 32, 64)),
    ("secded_odd", 32),
    ("secded_any", 64),
    *(("dec", k) for k in (4, 8, 32)),
    *(("dec_ted", k) for k in (4, 8, 32, 64)),
]


@pytest.mark.parametrize(("name", "data_bits"), CODES)
def test_a_codec_equals_the_model_for_every_one_and_two_flips(
    name: str, data_bits: int, tmp_path: Path
) -> None:
    sources = write(render_codec(data_bits, name), tmp_path)
    bench = codec_bench(data_bits, sources, tmp_path, name)
    require_green(bench, CODEC_TESTS, tmp_path, seed=data_bits)


# The smallest memory, one whose size is no power of two, and one wider than a machine word.
@pytest.mark.parametrize(("data_bits", "words"), [(4, 2), (8, 5), (128, 64)])
def test_a_memory_keeps_its_words(data_bits: int, words: int, tmp_path: Path) -> None:
    memory = MemorySpec(
        name="m", data_bits=data_bits, words=words, code="hsiao", scrub_interval_us=10
    )
    sources = write(render_memory("p", memory, 50_000_000), tmp_path)
    require_green(memory_bench("p", memory, sources, tmp_path), MEMORY_TESTS, tmp_path, seed=words)
