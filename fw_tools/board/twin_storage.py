# SPDX-License-Identifier: Apache-2.0
"""The registers and memories of a twin, by name: which bits a schedule of faults can flip."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from fw_tools.board.twin_faults import FaultSchedule, Upset
from fw_tools.errors import LinkError
from fw_tools.spec.findings import Findings

_NEAR, _LIKENESS = 3, 0.5  # How many names are shown, and how near they have to be.


@dataclass(frozen=True, slots=True)
class Stored:
    """A register, or a memory of several words."""

    words: int
    bits: int  # Of each word.


def read_storage(program: Path) -> dict[str, Stored]:
    """Return what a twin's program stores, by its path below the top."""
    done = subprocess.run([program, "--storage"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LinkError(f"the twin does not tell its registers: {done.stderr.strip()}")
    rows = (line.split(" ") for line in done.stdout.splitlines())
    return {path: Stored(int(words), int(bits)) for path, words, bits in rows}


def require_storage(schedule: FaultSchedule, program: Path) -> None:
    """Raise `InputError` naming every upset of what the twin does not store, each with its line."""
    if not schedule.upsets:
        return
    storage, findings = read_storage(program), Findings(schedule.source)
    for upset in schedule.upsets:
        key, message = _mistake(upset, storage)
        if message:
            where = f"event {int(upset.place[-1]) + 1}"
            findings.add((*upset.place, key), where, message)
    findings.raise_if_any()


def _mistake(upset: Upset, storage: Mapping[str, Stored]) -> tuple[str, str]:
    """Return the key that is wrong and what is wrong with it; "" for nothing."""
    stored = storage.get(upset.path)
    if stored is None:
        near = get_close_matches(upset.path, storage, _NEAR, _LIKENESS)
        hint = f"near it: {', '.join(near)}" if near else f"there is {next(iter(storage), 'none')}"
        return "path", f"no register or memory {upset.path!r}; {hint}"
    if upset.word >= stored.words:
        return "word", f"{upset.path} has words 0 to {stored.words - 1}, not {upset.word}"
    if upset.bit >= stored.bits:
        return "bit", f"{upset.path} has bits 0 to {stored.bits - 1}, not {upset.bit}"
    return "", ""
