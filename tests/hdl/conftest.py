# SPDX-License-Identifier: Apache-2.0
"""Broken copies of the compute node: one build of a bench carries them all, a plusarg picks one."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from fw_tools.ecc import encode, hsiao
from fw_tools.flow.generate import generate
from fw_tools.report.records import Status, TestRecord
from fw_tools.rtl.assembler import INSTRUCTION_BITS, OPERAND_BITS, instructions
from fw_tools.sim.build import Build, BuildOptions, build
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import BenchSpec, Payload

DECLARATION = """
  int mutant;
  initial if (!$value$plusargs("mutant=%d", mutant)) mutant = 0;
"""
END_OF_PORTS = re.compile(r"^ *\);$", re.MULTILINE)
INSTRUCTION = "; "  # Begins a place in the link's program: the one line with this instruction.
Program = tuple[BenchSpec, Build]
PlanBenches = Callable[[Payload, Path, Path], tuple[BenchSpec, ...]]


class Mutant(NamedTuple):
    """One broken expression: what stands between « and » in `place` becomes `mutated`."""

    file: str
    place: str
    mutated: str
    noticed_by: str  # Part of the name of a test that must fail.


class MutantRun:
    """The benches of an area, on gateware that carries every mutant; all sound unless told."""

    def __init__(
        self, folder: Path, spec: Path, plan: PlanBenches, mutants: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.folder = folder
        self.mutants = {name: Mutant(*fields) for name, fields in mutants.items()}
        generate(spec, folder / "generated")
        for number, mutant in enumerate(self.mutants.values(), start=1):
            self._break(number, mutant)
        benches = plan(load_payload(spec), folder / "generated", folder / "work")
        self.programs = [
            (bench, build(bench, BuildOptions(work=folder / bench.name))) for bench in benches
        ]

    def _break(self, number: int, mutant: Mutant) -> None:
        (path,) = (self.folder / "generated" / "rtl").rglob(mutant.file)
        text = path.read_text()
        if mutant.place.startswith(INSTRUCTION):
            mutant = _as_word(mutant, text)
        before, _, rest = mutant.place.partition("«")
        expression, _, after = rest.partition("»")
        place = f"{before}{expression}{after}"
        assert text.count(place) == 1, f"{place!r} stands {text.count(place)} times in {path.name}"
        choice = f"(mutant == {number} ? ({mutant.mutated}) : ({expression}))"
        text = text.replace(place, f"{before}{choice}{after}")
        if DECLARATION not in text:
            text = END_OF_PORTS.sub(lambda match: match.group() + DECLARATION, text, count=1)
        path.write_text(text)

    def sound(self, pattern: str = "") -> list[TestRecord]:
        """Return the records of the tests that match `pattern`, with no mutant chosen."""
        return self._run(0, self.programs, pattern)

    def failures(self, name: str) -> list[str]:
        """Return the failed tests among those that must notice the mutant `name`."""
        mutant, number = self.mutants[name], list(self.mutants).index(name) + 1
        concerned = [
            (bench, program)
            for bench, program in self.programs
            if mutant.file in {source.name for source in bench.sources}
        ]
        records = self._run(number, concerned, mutant.noticed_by)
        return [record.test for record in records if record.status is Status.FAILED]

    def _run(self, number: int, programs: Sequence[Program], pattern: str) -> list[TestRecord]:
        plusargs = (f"+mutant={number}",)
        records: list[TestRecord] = []
        for bench, program in programs:
            work = self.folder / bench.name
            records += run(
                program, bench, RunOptions(work=work, pattern=pattern, plusargs=plusargs)
            )
        return records


def _as_word(mutant: Mutant, program: str) -> Mutant:
    """Return the mutant of the codeword that an instruction of the link's program stands for.

    The instruction that takes its place carries a number.
    """
    line = f";  // {mutant.place.removeprefix(INSTRUCTION)}\n"
    (word,) = re.findall(rf" = (\S+){re.escape(line)}", program)
    mnemonic, operand = mutant.mutated.split()
    value = instructions()[mnemonic] << OPERAND_BITS | int(operand)
    mutated = f"{encode(hsiao(INSTRUCTION_BITS), value)}"
    return mutant._replace(place=f"= «{word}»{line}", mutated=mutated)


@pytest.fixture(scope="module")
def carry_mutants(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[PlanBenches, Mapping[str, tuple[str, ...]]], MutantRun]:
    """Return what builds the benches of an area on a compute node that carries mutants."""
    spec = repository / "examples" / "compute_node" / "payload.toml"

    def carry(plan: PlanBenches, mutants: Mapping[str, tuple[str, ...]]) -> MutantRun:
        return MutantRun(tmp_path_factory.mktemp("mutants"), spec, plan, mutants)

    return carry
