# SPDX-License-Identifier: Apache-2.0
"""The benches of a payload's encoders, decoders and protected memories."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from fw_tools.ecc import hsiao
from fw_tools.ecc.codes import code_named
from fw_tools.ecc.records import MemorySpec
from fw_tools.rtl.codec import codec_name
from fw_tools.rtl.memory import MEMORY_CELLS, memory_module
from fw_tools.rtl.payload import source_files
from fw_tools.spec.records import BenchSpec, Payload

# Clocks from visit to visit in the bench: as short as leaves room for one visit with all its waits,
# since the bench walks through every one of them.
BENCH_INTERVAL_CLOCKS = 16
TIME_UNIT = ("--timescale", "1ns/1ns")  # Of every delay in the harnesses.


def ecc_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return a bench per data width and one per memory; configuration goes below `work`."""
    widths = sorted({memory.data_bits for memory in payload.memories})
    sources = source_files(generated) if payload.memories else ()
    codecs = [codec_bench(data_bits, sources, work) for data_bits in widths]
    memories = [memory_bench(payload.name, memory, sources, work) for memory in payload.memories]
    return (*codecs, *memories)


def codec_bench(
    data_bits: int, sources: tuple[Path, ...], work: Path, code_name: str = "hsiao"
) -> BenchSpec:
    """Return the bench of the encoder and decoder of a code, found among `sources`."""
    code = code_named(code_name, data_bits)
    name = codec_name(code)
    modules = (f"{name}_enc", f"{name}_dec")
    config = {"code": code.name, "data_bits": data_bits}
    return BenchSpec(
        name=name,
        top="codec_harness",
        test_modules=("hdl.tb.codec_bench",),
        sources=(*_needed(sources, *modules), _harness("codec_harness")),
        defines=(("CODEC_ENCODER", modules[0]), ("CODEC_DECODER", modules[1])),
        parameters=(("DataBits", str(data_bits)), ("CheckBits", str(code.check_bits))),
        verilator_args=TIME_UNIT,
        environment=_configured(config, work / f"{name}.json"),
        lint=True,
    )


def memory_bench(
    payload_name: str, memory: MemorySpec, sources: tuple[Path, ...], work: Path
) -> BenchSpec:
    """Return the bench of a memory, whose modules are found among `sources`."""
    code = hsiao(memory.data_bits)
    module, codec = memory_module(payload_name, memory), codec_name(code)
    config = {
        "data_bits": memory.data_bits,
        "words": memory.words,
        "scrub_interval_clocks": BENCH_INTERVAL_CLOCKS,
    }
    parameters = {
        "DataBits": code.data_bits,
        "CheckBits": code.check_bits,
        "AddressBits": (memory.words - 1).bit_length(),
        "ScrubIntervalClocks": BENCH_INTERVAL_CLOCKS,
    }
    needed = _needed(sources, *MEMORY_CELLS, f"{codec}_enc", f"{codec}_dec", module)
    return BenchSpec(
        name=memory.name,
        top="memory_harness",
        test_modules=("hdl.tb.memory_bench",),
        sources=(*needed, _harness("memory_harness")),
        defines=(("MEMORY", module),),
        parameters=tuple((name, str(value)) for name, value in parameters.items()),
        verilator_args=TIME_UNIT,
        environment=_configured(config, work / f"{memory.name}.json"),
        lint=True,
    )


def _needed(sources: tuple[Path, ...], *modules: str) -> tuple[Path, ...]:
    return tuple(path for path in sources if path.stem in modules)


def _harness(name: str) -> Path:
    return Path(str(files("hdl") / "tb" / f"{name}.sv"))


def _configured(config: Mapping[str, object], path: Path) -> tuple[tuple[str, str], ...]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return (("FW_BENCH_CONFIG", str(path.absolute())),)
