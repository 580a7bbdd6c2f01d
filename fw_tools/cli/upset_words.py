# SPDX-License-Identifier: Apache-2.0
"""What `fw-tools upset` says: of what it will do, what came of it, and how to see one again."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from fw_tools.errors import VerificationError
from telemetry.common.console import messages, output

if TYPE_CHECKING:
    from fw_tools.flow.upset import Prepared
    from fw_tools.upset.summary import Case, Summary

# Options that change which injections there are, and nothing of what one of them does.
_OF_THE_WHOLE = {
    *("is_exhaustive", "margin", "confidence", "processes", "lanes", "scheduler", "rates"),
    *("fail_on", "cross_check", "replay"),
}


def announce(prepared: "Prepared", jobs: int, faults: int, why: str) -> None:
    """Say what is about to be flipped."""
    from fw_tools.upset.faults import WORDS
    from fw_tools.upset.places import bits_stored

    machine = prepared.machine
    bits = bits_stored(machine)
    first = f"{machine.top}: {bits:,} stored bits, {len(machine.gates):,} gates"
    driven = f"{len(prepared.inputs):,} clocks with {prepared.stimulus}"
    words = WORDS[prepared.faults.sort]
    places = f"{words.place} of {len(prepared.places):,}"
    what = f"every {places} in every clock" if jobs == faults else f"a sample of {faults:,}"
    _say(f"{first}; {driven}")
    _say(
        f"{jobs:,} {words.faults}, {what}, each watched for {prepared.limits.horizon:,} clocks "
        f"({prepared.lanes} lanes)\n"
    )
    messages().print(why, markup=False, highlight=False)


def show_summary(summary: "Summary", folder: Path, line: Callable[["Case"], str]) -> None:
    """Print what came of a campaign; `line` is the command that replays a case."""
    from fw_tools.upset.summary_table import print_summary

    print_summary(summary, output(), line)
    _say(f"\nresults: {folder}/results.parquet, {folder}/summary.json")


def replay_line(context: click.Context, case: "Case") -> str:
    """Return the command that replays a case of the campaign that `context` is the command of."""
    words = ["fw-tools", "upset", *map(str, context.params["files"])]
    for option in context.command.params:
        name = option.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and is_given and name not in _OF_THE_WHOLE:
            words += _given(option, context.params[name])
    return shlex.join([*words, "--replay", case.name])


def _given(option: click.Option, value: object) -> Iterator[str]:
    flag = option.opts[0]
    if option.is_flag:
        yield flag
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from (flag, f"{name}={each}")
    elif isinstance(value, tuple):
        for each in value:
            yield from (flag, str(each))
    else:
        yield from (flag, str(value))


def show_replay(prepared: "Prepared", folder: Path, what: str) -> None:
    """Replay one injection and say what came of it and where its waves are."""
    from fw_tools.flow.upset_replay import replay_one

    found = replay_one(prepared, folder, what)
    after = "" if found.effect is None else f", {found.effect:,} clocks after it"
    _say(f"{what}: {found.outcome.name.lower()}{after}")
    _say(f"waves: {found.faulty}, {found.golden}; it is at time {10 * found.clock:,}")


def show_cross_check(prepared: "Prepared", folder: Path, sample: int, seed: int) -> None:
    """Do a sample again in Verilator; raise `VerificationError` if something ends otherwise."""
    from fw_tools.flow.upset_replay import cross_check

    messages().print("building the design in Verilator, for the cross-check", highlight=False)
    found = cross_check(prepared, folder, sample, seed)
    if not found.is_good:
        raise VerificationError(f"cross-check: {found}")
    _say(f"cross-check: {found}")


def _say(text: str) -> None:
    output().print(text, markup=False, highlight=False, soft_wrap=True)
