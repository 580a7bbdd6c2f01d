# SPDX-License-Identifier: Apache-2.0
"""How quickly a bench is there, and how quickly its cycles pass."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rows import Case, Measurement

from fw_tools.report.records import Status
from fw_tools.rtl.codec import render_codec
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.records import BenchSpec
from fw_tools.toolchain import verilator_environment

DESIGNS = Path(__file__).parent / "designs"
CYCLES_IN_HDL = 5_000_000
CYCLES_IN_PYTHON = 300_000
PEER_RUNNER = "cocotb's own runner"


def cycles_per_second() -> list[Measurement]:
    """CPU time of the same cycles: Python asleep, or awaiting each of them."""
    ours = _cycles_per_second("clock_in_hdl", CYCLES_IN_HDL)
    peer = _cycles_per_second("shift_register", CYCLES_IN_PYTHON)
    return [
        Measurement(
            case="sim/cycles_per_second",
            ours=ours,
            unit="cycles/cpu-s",
            better="higher",
            peer="clock and await in Python",
            peer_value=peer,
        )
    ]


def first_result_cold() -> list[Measurement]:
    """Wall clock from generated SystemVerilog to the first result, with an empty cache."""
    with _empty_cache():
        ours = _seconds(lambda: _first_result(_codec_bench(64)))
    peer = _seconds(lambda: _first_result_of_peer(_codec_bench(64)))
    return [_first_result_row("sim/first_result_cold", ours, peer)]


def first_result_second_width() -> list[Measurement]:
    """The same bench in another width, when one width has been built before."""
    with _empty_cache():
        _first_result(_codec_bench(64))
        ours = _seconds(lambda: _first_result(_codec_bench(32)))
    peer = _seconds(lambda: _first_result_of_peer(_codec_bench(32)))
    return [_first_result_row("sim/first_result_second_width", ours, peer)]


def first_result_cached() -> list[Measurement]:
    """The same bench again: nothing to build."""
    bench = _codec_bench(64)
    with _empty_cache():
        _first_result(bench)
        ours = _seconds(lambda: _first_result(bench))
    with tempfile.TemporaryDirectory() as folder:
        _first_result_of_peer(bench, Path(folder))
        peer = _seconds(lambda: _first_result_of_peer(bench, Path(folder)))
    return [_first_result_row("sim/first_result_cached", ours, peer)]


def _first_result_row(case: str, ours: float, peer: float) -> Measurement:
    return Measurement(
        case=case, ours=ours, unit="s", better="lower", peer=PEER_RUNNER, peer_value=peer
    )


def _cycles_per_second(top: str, cycles: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        figure = Path(folder) / "figure"
        bench = _bench(
            top,
            "cycles_tests",
            sources=tuple(DESIGNS / f"{name}.sv" for name in ("shift_register", "clock_in_hdl")),
            environment=(("CYCLES", str(cycles)), ("CYCLES_PER_SECOND", str(figure))),
        )
        _first_result(bench)
        return float(figure.read_text())


def _codec_bench(data_bits: int) -> BenchSpec:
    """Return a bench of a generated codec; its sources are written anew for each call."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    sources = [DESIGNS / "codec_loop.sv"]
    for file in render_codec(data_bits):
        path = folder / file.path.name
        path.write_text(file.text)
        sources.append(path)
    encoder, decoder = (path.stem for path in sources[1:])
    bench = _bench("codec_loop", "codec_loop_tests", sources=tuple(sources))
    return replace(
        bench,
        defines=(("ENCODER", encoder), ("DECODER", decoder)),
        parameters=(("DataBits", str(data_bits)), ("CodewordBits", encoder.split("_")[1])),
    )


def _bench(top: str, tests: str, **fields: object) -> BenchSpec:
    return BenchSpec(name=top, top=top, test_modules=(tests,), python_paths=(DESIGNS,), **fields)


def _first_result(bench: BenchSpec) -> None:
    with tempfile.TemporaryDirectory() as folder:
        built = build(bench, BuildOptions(work=Path(folder)))
        records = run(built, bench, RunOptions(work=Path(folder)))
        assert records, "no test ran"
        assert all(record.status is Status.PASSED for record in records), records


def _first_result_of_peer(bench: BenchSpec, folder: Path | None = None) -> None:
    """Build and run with the runner that cocotb ships, in a process as its user would."""
    script = (
        "from cocotb_tools.runner import get_runner\n"
        "import sys\n"
        f"sys.path.insert(0, {str(DESIGNS)!r})\n"
        "runner = get_runner('verilator')\n"
        f"runner.build(sources={[str(path) for path in bench.sources]!r},\n"
        f"    hdl_toplevel={bench.top!r}, parameters={dict(bench.parameters)!r},\n"
        f"    defines={dict(bench.defines)!r},\n"
        "    build_args=['--timing', '-CFLAGS', '-std=c++20 -fcoroutines'])\n"
        f"runner.test(hdl_toplevel={bench.top!r}, test_module={bench.test_modules[0]!r})\n"
    )
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder or temporary,
            env=verilator_environment(),
            check=True,
            capture_output=True,
        )


@contextmanager
def _empty_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("FW_TOOLS_CACHE")
        os.environ["FW_TOOLS_CACHE"] = folder
        try:
            yield
        finally:
            del os.environ["FW_TOOLS_CACHE"]
            if before is not None:
                os.environ["FW_TOOLS_CACHE"] = before


def _seconds(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


CASES: dict[str, Case] = {
    "sim/cycles_per_second": cycles_per_second,
    "sim/first_result_cold": first_result_cold,
    "sim/first_result_second_width": first_result_second_width,
    "sim/first_result_cached": first_result_cached,
}
