# SPDX-License-Identifier: Apache-2.0
"""Injections replayed on the RTL itself, in Verilator: a second opinion, and waves.

Inputs change after the edge, in the engine with it. It makes a difference where an input resets a
register that is itself an asynchronous reset, in the clock in which it would rise.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from fw_tools import toolchain
from fw_tools.errors import InputError
from fw_tools.netlist.analysis import Gates
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.process import Processes
from fw_tools.sim.verilator import Host
from fw_tools.spec.records import BenchSpec
from fw_tools.upset.engine import Array, Injections, Limits
from fw_tools.upset.machine import Machine
from fw_tools.upset.observation import Observation
from fw_tools.upset.replay_netlist import netlist_lines, netlist_source
from fw_tools.upset.replay_outcome import Golden, Trace, outcome_of
from fw_tools.upset.replay_plan import model_lines, write_jobs, write_plan

_MAIN = Path(str(files("fw_tools.upset") / "native" / "replay"))
_MOST_OCTETS = 1 << 28  # Of traces at a time.


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of each job, as `Results` of the engine has it."""

    outcome: Array  # uint8, `Outcome`
    effect: Array  # uint32
    golden: Golden | None = None  # Which ran beside them.


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """What an engine was made with: see `Engine`."""

    inputs: Array
    initial: Array


@dataclass(frozen=True, slots=True)
class Replay:
    """A program that replays injections on one design."""

    program: Path
    machine: Machine
    plan: tuple[str, ...]  # Where the program finds inputs, outputs and state.

    def run(
        self,
        stimulus: Stimulus,
        injections: Injections,
        limits: Limits,
        observation: Observation,
    ) -> Replayed:
        """Replay every job and return what came of it.

        Raises `InputError` where the model holds a register under no name that the netlist has.
        """
        found = [
            _Recorded(self, stimulus, part, limits, observation).replayed()
            for part in _parts(injections, self._jobs_at_a_time(limits))
        ]
        return Replayed(
            np.concatenate([part.outcome for part in found]),
            np.concatenate([part.effect for part in found]),
            found[0].golden,
        )

    def write_waves(
        self, stimulus: Stimulus, injection: Injections, horizon: int, golden: Path, faulty: Path
    ) -> None:
        """Write the waves (VCD) of golden, and those of the run with one injection.

        Both begin at clock 0 and end with the horizon; a clock takes ten units of time and rises
        in its middle. The program was built with waves. Raises what `run` does.
        """
        with tempfile.TemporaryDirectory(prefix="fw-tools-") as name:
            folder = Path(name)
            self.write_plan(folder, stimulus, injection, horizon)
            self.run_program(folder, str(golden.absolute()))
            self.run_program(folder, str(faulty.absolute()), "flip")

    def write_plan(
        self, folder: Path, stimulus: Stimulus, injections: Injections, horizon: int
    ) -> None:
        """Write into `folder` what the program reads."""
        top = self.machine.top
        write_plan(folder, top, self.plan, stimulus.inputs, stimulus.initial)
        write_jobs(folder, injections, horizon)

    def run_program(self, folder: Path, *arguments: str) -> None:
        """Run the program on what `folder` holds."""
        log = folder / "replay.log"
        ended = Processes().run(
            [str(self.program), str(folder), *arguments],
            folder=folder,
            environment=toolchain.verilator_environment(),
            log=log,
        )
        if ended.exit_code:
            told = log.read_text(errors="replace").strip() or f"ended with {ended.exit_code}"
            raise InputError(f"{self.machine.top}: the replay in Verilator: {told}")

    def _jobs_at_a_time(self, limits: Limits) -> int:
        bits = sum(len(nets) for nets in self.machine.outputs.values())
        return max(1, _MOST_OCTETS // ((bits // 8 + 1) * max(limits.horizon, 1)))


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A run of the program, and what it wrote."""

    replay: Replay
    stimulus: Stimulus
    injections: Injections
    limits: Limits
    observation: Observation

    def replayed(self) -> Replayed:
        with tempfile.TemporaryDirectory(prefix="fw-tools-") as name:
            folder = Path(name)
            self.replay.write_plan(folder, self.stimulus, self.injections, self.limits.horizon)
            self.replay.run_program(folder)
            return self._read(folder)

    def _read(self, folder: Path) -> Replayed:
        jobs, bits = len(self.injections), len(self._nets())
        golden = Golden(self._trace(_rows(folder / "golden.bin", len(self.stimulus.inputs), bits)))
        traces = _packed(folder / "traces.bin", jobs)
        states = _packed(folder / "states.bin", jobs)
        is_same = (states == _packed(folder / "golden_states.bin", jobs)).all(axis=1)
        outcomes = [
            outcome_of(
                golden,
                self._trace(_bits(traces[job].reshape(self.limits.horizon, -1), bits)),
                int(self.injections.cycle[job]),
                self.limits,
                is_same_state=bool(is_same[job]),
            )
            for job in range(jobs)
        ]
        return Replayed(
            np.array([outcome for outcome, _ in outcomes], np.uint8),
            np.array([effect for _, effect in outcomes], np.uint32),
            golden,
        )

    def _nets(self) -> list[int]:
        return [net for nets in self.replay.machine.outputs.values() for net in nets]

    def _trace(self, rows: Array) -> Trace:
        column = {net: index for index, net in enumerate(self._nets())}
        roles = self.observation.by_role().items()
        return Trace({role: rows[:, [column[net] for net in nets]] for role, nets in roles})


def build_replay(
    gates: Gates,
    machine: Machine,
    sources: Sequence[Path],
    parameters: Mapping[str, int | str],
    work: Path,
    *,
    has_waves: bool = False,
) -> Replay:
    """Build the program that replays on the RTL into `work`, or take it from the cache.

    `gates` and `machine` are those of the same sources and parameters. Raises what
    `fw_tools.sim.build.build` does.
    """
    plan = tuple(model_lines(machine, gates.netlist.signals))
    given = {name: str(value) for name, value in parameters.items()}
    program = _build(machine.top, sources, given, work, has_waves=has_waves, is_rtl=True)
    return Replay(program, machine, plan)


def build_net_replay(machine: Machine, work: Path, *, has_waves: bool = False) -> Replay:
    """Build the program that replays on the netlist written out as Verilog, faults of every kind.

    Raises what `fw_tools.sim.build.build` does.
    """
    source = work / f"{machine.top}.v"
    work.mkdir(parents=True, exist_ok=True)
    source.write_text(netlist_source(machine))
    program = _build(machine.top, [source], {}, work, has_waves=has_waves, is_rtl=False)
    return Replay(program, machine, tuple(netlist_lines(machine)))


def _build(
    top: str,
    sources: Sequence[Path],
    parameters: Mapping[str, str],
    work: Path,
    *,
    has_waves: bool,
    is_rtl: bool,
) -> Path:
    absolute = tuple(path.resolve() for path in sources)
    bench = BenchSpec(
        name=f"replay of {top}",
        top=top,
        test_modules=(),
        sources=absolute,
        parameters=tuple(parameters.items()),
    )
    options = BuildOptions(
        work=work.absolute(),
        folder=absolute[0].parent,
        has_waves=has_waves,
        host=_host(is_rtl=is_rtl),
    )
    return build(bench, options).program


def _host(*, is_rtl: bool) -> Host:
    """Return our main program; of RTL every signal is found by its name."""
    return Host(
        prefix="Vreplay",
        main=_MAIN,
        sources=(_MAIN / "replay.cpp",),
        arguments=(
            *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing", "--no-assert"),
            *("-CFLAGS", "-std=c++20"),
            *(["--public-flat-rw"] if is_rtl else []),
        ),
        optimisation="-O0",
    )


def _parts(injections: Injections, size: int) -> list[Injections]:
    parts = []
    for start in range(0, len(injections), size):
        end = min(start + size, len(injections))
        first = injections.first[start : end + 1]
        parts.append(
            Injections(
                cycle=injections.cycle[start:end],
                kind=injections.kind[start:end],
                first=first - first[0],
                places=injections.places[first[0] : first[-1]],
                domains=injections.domains,
            )
        )
    return parts


def _packed(path: Path, rows: int) -> Array:
    return np.fromfile(path, np.uint8).reshape(rows, -1)


def _bits(packed: Array, bits: int) -> Array:
    return np.unpackbits(packed, axis=1, count=bits, bitorder="little").astype(bool)


def _rows(path: Path, rows: int, bits: int) -> Array:
    return _bits(_packed(path, rows), bits)
