# SPDX-License-Identifier: Apache-2.0
"""What `fw-tools upset` says: of what it will do, what came of it, and how to see one again."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from fw_tools.errors import VerificationError
from telemetry.common.console import messages, output

if TYPE_CHECKING:
    from fw_tools.flow.upset import Prepared
    from fw_tools.flow.upset_replay import CrossCheck
    from fw_tools.upset.plan import Plan
    from fw_tools.upset.summary import Case, Summary

# Options that change which injections there are, and nothing of what one of them does.
_OF_THE_WHOLE = {
    *(
        "is_exhaustive",
        "is_pruned",
        "margin",
        "confidence",
        "processes",
        "lanes",
        "scheduler",
        "rate",
    ),
    *("fail_on", "sample", "replay"),
}


def announce(prepared: "Prepared", plan: "Plan", why: str) -> None:
    """Say what is about to be flipped."""
    from fw_tools.upset.faults import WORDS
    from fw_tools.upset.places import bits_stored

    machine = prepared.machine
    bits = bits_stored(machine)
    first = f"{machine.top}: {bits:,} stored bits, {len(machine.gates):,} gates"
    driven = f"{len(prepared.inputs):,} clocks with {prepared.stimulus}"
    words = WORDS[prepared.faults.sort]
    places = f"{words.place} of {len(prepared.places):,}"
    what = (
        f"every {places} in every clock" if plan.is_exhaustive else f"a sample of {plan.faults:,}"
    )
    if plan.is_exhaustive and plan.jobs < plan.faults:
        what += f" ({plan.faults:,}, those between two accesses of a word as one)"
    _say(f"{first}; {driven}")
    _say(
        f"{plan.jobs:,} {words.faults}, {what}, each watched for "
        f"{prepared.limits.horizon:,} clocks ({prepared.lanes} lanes)\n"
    )
    messages().print(why, markup=False, highlight=False)


def show_summary(summary: "Summary", folder: Path, line: Callable[["Case"], str]) -> None:
    """Print what came of a campaign; `line` is the command that replays a case."""
    from fw_tools.upset.summary_table import print_summary

    print_summary(summary, output(), line)
    _say(f"\nresults: {folder}/results.parquet, {folder}/summary.json")


def replay_line(context: click.Context, case: "Case") -> str:
    """Return the command that replays a case of the campaign that `context` is the command of."""
    return shlex.join([*_words(context, _OF_THE_WHOLE), "--replay", case.name])


def whole_line(context: click.Context) -> str:
    """Return the command that `context` is of."""
    return shlex.join(_words(context, set()))


def _words(context: click.Context, without: set[str]) -> Iterator[str]:
    yield from ("fw-tools", "upset", *map(str, context.params["files"]))
    for option in context.command.params:
        name = option.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and is_given and name not in without:
            yield from _given(option, context.params[name])


def _given(option: click.Option, value: object) -> Iterator[str]:
    flag = option.opts[0]
    if option.is_flag:
        yield flag if value else option.secondary_opts[0]
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


def cross_check(prepared: "Prepared", folder: Path, sample: int, seed: int) -> "CrossCheck":
    """Do a sample again in Verilator, and print what came of it."""
    from fw_tools.flow import upset_replay

    messages().print("building the design in Verilator, for the cross-check", highlight=False)
    found = upset_replay.cross_check(prepared, folder, sample, seed)
    if found.is_good:
        _say(f"cross-check: {found}")
    return found


def require(summary: "Summary", check: "CrossCheck | None", fail_on: Sequence[str]) -> None:
    """Raise `VerificationError` for an outcome that must not be, and if Verilator disagrees."""
    from fw_tools.upset.faults import WORDS

    if check and not check.is_good:
        raise VerificationError(f"cross-check: {check}")
    found = {share.outcome.name.lower(): share.found for share in summary.shares}
    bad = [f"{found[name]:,} {name}" for name in fail_on if found[name]]
    if bad:
        faults = WORDS[summary.sort].faults
        raise VerificationError(f"of {summary.flips:,} {faults}, {', '.join(bad)}")


def say_where(report: Path) -> None:
    """Print where the page is."""
    _say(f"report: {report}")


def _say(text: str) -> None:
    output().print(text, markup=False, highlight=False, soft_wrap=True)
