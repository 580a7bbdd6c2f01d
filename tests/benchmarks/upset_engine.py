# SPDX-License-Identifier: Apache-2.0
"""How many faulty machines pass in a second of CPU time, beside the loops that people write."""

import subprocess
import tempfile
import time
from dataclasses import replace
from functools import cache, partial
from math import comb
from pathlib import Path

import numpy as np
from rows import Case, Measurement
from simulation import DESIGNS, _bench, _first_result

from fw_tools.ecc.records import MemorySpec
from fw_tools.netlist.analysis import analyse
from fw_tools.rtl.codec import render_codec
from fw_tools.rtl.environment import INSTANCE
from fw_tools.rtl.memory import render_memory
from fw_tools.rtl.memory_environment import render_memory_environment
from fw_tools.toolchain import verilator_environment
from fw_tools.upset.classes import Classed
from fw_tools.upset.emit import emit
from fw_tools.upset.engine import NOT_RUN, Engine, Limits, single_flips
from fw_tools.upset.faults import Faults, faults_of
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine, widest_lanes
from fw_tools.upset.observation import observe
from fw_tools.upset.patterns import flip_inputs
from fw_tools.upset.places import bits_stored
from fw_tools.upset.plan import Stratified

HORIZON = 64
CLOCKS = 2000
EVERY = 200  # The loop of C++ begins in each so many clocks.
PATTERNS = sum(comb(72, flips) for flips in (1, 2, 3, 4))


def patterns() -> list[Measurement]:
    """Every pattern of one to four flips of a (72,64) decoder."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "hsiao_72_64_dec.sv"
        source.write_text(next(f.text for f in render_codec(64) if "_dec" in f.path.name))
        machine = machine_of(analyse([source], source.stem))
        roles = {"uncorrectable_o": "alarm", "syndrome_o": "corrected"}
        library = _library(machine, widest_lanes(), roles)
        count, silent, seconds = _cpp_loop(source, "decoder_loop.cpp")
    base = np.zeros(72, np.uint8)
    flip_inputs(machine, library, base, 1)
    began, ours = time.process_time(), 0
    for _ in range(20):
        ours = sum(_silent(flip_inputs(machine, library, base, n)) for n in (1, 2, 3, 4))
    spent = (time.process_time() - began) / 20
    assert count == PATTERNS
    assert ours == silent, (ours, silent)
    return [
        Measurement(
            case="upset/patterns_72_64",
            ours=PATTERNS / spent,
            unit="injections/cpu-s",
            better="higher",
            peer="Verilator, a loop in C++",
            peer_value=count / seconds,
        )
    ]


def _silent(found: dict[int, int]) -> int:
    return found[1]  # Outcome.SILENT


def sequential(lanes: int) -> list[Measurement]:
    """Flips of 300 flip-flops behind 3,000 gates, each watched for 64 clocks."""
    machine = machine_of(analyse([DESIGNS / "mixer.sv"], "mixer"))
    reset = np.ones((CLOCKS + HORIZON, 1), np.uint8)
    reset[:1] = 0
    library = _library(machine, lanes, {})
    with Engine(library, reset, np.zeros(300, np.uint8)) as engine:
        jobs = single_flips(range(300), range(10, CLOCKS, 1 if lanes > 64 else 8))
        began = time.process_time()
        results = engine.run(jobs, Limits(horizon=HORIZON))
        spent = time.process_time() - began
    ours = results.lane_clocks / spent
    case = f"upset/sequential_{lanes}_lanes"
    cpp, python = _mixer_cpp(), _mixer_python()
    peers = (("", "Verilator, a loop in C++", cpp), ("_python", "cocotb, clock in Python", python))
    return [
        Measurement(
            case=case + suffix,
            ours=ours,
            unit="lane-clocks/cpu-s",
            better="higher",
            peer=peer,
            peer_value=value,
        )
        for suffix, peer, value in peers
    ]


def memory() -> list[Measurement]:
    """Flips in a scrubbed memory of 1,024 words of 39 bits, and in the logic around it."""
    spec = MemorySpec(name="ram", data_bits=32, words=1024, code="hsiao", scrub_interval_us=1)
    world = render_memory_environment("bench", spec)
    with tempfile.TemporaryDirectory() as name:
        paths = []
        for file in (*render_memory("bench", spec, 10_000_000), world.file):
            paths.append(Path(name) / file.path.name)
            paths[-1].write_text(file.text)
        machine = machine_of(analyse(paths, world.module))
    library = _library(machine, widest_lanes(), {})
    reset = np.ones((world.clocks + world.horizon, 1), np.uint8)
    reset[:1] = 0
    plan = Stratified(
        faults_of(machine, INSTANCE), 10, world.clocks, margin=0.01, confidence=0.95, seed=1
    )
    spent = clocks = flips = 0.0
    with Engine(library, reset, np.zeros(bits_stored(machine), np.uint8)) as engine:
        for number in range(plan.tasks):
            began = time.process_time()
            results = engine.run(plan.task(number), Limits(horizon=world.horizon))
            spent += time.process_time() - began
            clocks, flips = clocks + results.lane_clocks, flips + len(results.outcome)
        pruned = _pruned(engine, machine, world.clocks, world.horizon)
    rates = {"": clocks / spent, "_effective": flips * world.horizon / spent, "_pruned": pruned}
    return [
        Measurement(
            case=f"upset/scrubbed_1024x39{suffix}",
            ours=rate,
            unit="lane-clocks/cpu-s",
            better="higher",
        )
        for suffix, rate in rates.items()
    ]


def _pruned(engine: Engine, machine: Machine, clocks: int, horizon: int) -> float:
    """Return the lane-clocks that all flips of the memory's bits would take, for a second."""
    began = time.process_time()
    everything = faults_of(machine, INSTANCE)
    bits = tuple(each for each in everything.places if each.number >= len(machine.flip_flops))
    plan = Classed(Faults(places=bits), machine, engine.accesses(), 10, clocks)
    for number in range(plan.tasks):
        injections = plan.task(number)
        assert injections.ruled is not None
        left = np.flatnonzero(injections.ruled == NOT_RUN)
        engine.run(injections.some(left), Limits(horizon=horizon))
    return plan.faults * horizon / (time.process_time() - began)


def _library(machine: Machine, lanes: int, roles: dict[str, str]) -> Path:
    return compile_machine(emit(machine, observe(machine, roles)), lanes, has_transients=False)


@cache
def _mixer_cpp() -> float:
    arguments = (str(CLOCKS), str(HORIZON), str(EVERY))
    injections, _, seconds = _cpp_loop(DESIGNS / "mixer.sv", "mixer_loop.cpp", *arguments)
    return injections * HORIZON / seconds


@cache
def _mixer_python() -> float:
    with tempfile.TemporaryDirectory() as folder:
        figure = Path(folder) / "figure"
        bench = _bench(
            "mixer",
            "mixer_tests",
            sources=(DESIGNS / "mixer.sv",),
            environment=(("HORIZON", "64"), ("INJECTIONS", "300"), ("FIGURE", str(figure))),
        )
        _first_result(replace(bench))
        return float(figure.read_text())


def _cpp_loop(source: Path, loop: str, *arguments: str) -> tuple[int, int, float]:
    """Build a loop around Verilator's model and run it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *("verilator", "--cc", "--exe", "--build", "-O3", "-Wno-fatal", "-CFLAGS", "-O3"),
            *("-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include", "--Mdir", folder),
            *("-o", "loop", str(source), str(DESIGNS / loop)),
        ]
        environment = verilator_environment()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        done = subprocess.run(
            [f"{folder}/loop", *arguments], check=True, capture_output=True, text=True
        )
    count, special, seconds = done.stdout.split()
    return int(count), int(special), float(seconds)


CASES: dict[str, Case] = {
    "upset/patterns_72_64": patterns,
    "upset/scrubbed_1024x39": memory,
    **{
        f"upset/sequential_{lanes}_lanes": partial(sequential, lanes)
        for lanes in (64, 256, 512)
        if lanes <= widest_lanes()
    },
}
