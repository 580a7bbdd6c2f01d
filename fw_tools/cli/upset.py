# SPDX-License-Identifier: Apache-2.0
"""`fw-tools upset`: flip stored bits of a design and tell what comes of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fw_tools.errors import VerificationError
from telemetry.common.console import messages, output, progress
from telemetry.common.exit_codes import ExitCode
from telemetry.common.files import make_folder

if TYPE_CHECKING:
    from fw_tools.flow.upset import Prepared
    from fw_tools.upset.summary import Summary

_OUTCOMES = (
    *("unsafe", "silent", "hang", "detected", "outage"),
    *("corrected", "timing", "latent", "masked"),
)


def _pairs(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    parted = [value.partition("=") for value in values]
    for name, equals, value in parted:
        if not (name and equals and value):
            raise click.BadParameter("give NAME=VALUE", param=option)
    return {name: value for name, _, value in parted}


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC | FILE..."
)
@click.option("--top", metavar="TOP", help="FILEs are a design of your own; this is its top.")
@click.option("-G", "parameters", multiple=True, callback=_pairs, help="A parameter, NAME=VALUE.")
@click.option(
    "--block",
    default="sequencer",
    show_default=True,
    metavar="NAME",
    help="Of a payload: its sequencer, or a memory by its name.",
)
@click.option(
    *("--transients", "are_transients"),
    is_flag=True,
    help="Invert the output of every gate for one clock, in place of stored bits.",
)
@click.option("--within", default="", metavar="INSTANCE", help="Flip only bits below it.")
@click.option(
    *("--role", "roles"),
    multiple=True,
    callback=_pairs,
    metavar="OUTPUT=ROLE",
    help="accepted, data, alarm, corrected, safe or unsafe; else by its name, else data.",
)
@click.option(
    *("--feed-forward", "is_feed_forward"),
    is_flag=True,
    help="Nothing answers the outputs: drive the inputs at random.",
)
@click.option(
    "--inputs", type=click.Path(path_type=Path), metavar="FILE.npy", help="Or with these."
)
@click.option("--clocks", type=click.IntRange(1), help="Length of the stimulus.")
@click.option("--horizon", type=click.IntRange(1), help="Clocks for which a flip is watched.")
@click.option("--alarm-window", type=click.IntRange(0), default=16, show_default=True)
@click.option("--hang-after", type=click.IntRange(1), help="Clocks without what is due.")
@click.option(
    "--exhaustive/--sample",
    "is_exhaustive",
    default=None,
    help="Every bit in every clock, or a sample; by default whichever fits in a minute.",
)
@click.option(
    "--margin", type=click.FloatRange(0.0001, 0.5), default=0.01, show_default=True,
    help="Of a sample: +- what share of each instance.",
)  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--processes", type=click.IntRange(1), help="One for each processor by default.")
@click.option("--lanes", type=click.Choice(["64", "256", "512"]), help="The widest by default.")
@click.option(
    "--fail-on", multiple=True, type=click.Choice(_OUTCOMES), help="Exit code 4 if there is one."
)
@click.option(
    *("-o", "--output", "folder"),
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where results go; build/TOP/upset by default. What is there is gone on with.",
)
def upset(
    files: tuple[Path, ...],
    top: str | None,
    folder: Path | None,
    processes: int | None,
    fail_on: tuple[str, ...],
    lanes: str | None,
    **chosen: object,
) -> ExitCode:
    """Flip every stored bit of a design in every clock, and class what comes of each.

    SPEC is a payload: its power sequencer works in a world of rails that answer it, a memory with a
    user. FILEs are a design of your own, in compile order, its outputs looked at by their role.
    Each flip ends as unsafe, silent, hang, detected, outage, corrected, timing, latent or masked.
    What is too much for a minute is sampled, each instance by itself, and shares have intervals.

    \b
    Examples:
      fw-tools upset payload.toml --fail-on unsafe
      fw-tools upset payload.toml --block weight_buffer --fail-on silent
      fw-tools upset --top fifo fifo.sv --feed-forward
      fw-tools upset --top world world.sv dut.sv --within u_dut --exhaustive
    """
    from fw_tools.flow import upset as flow
    from fw_tools.upset.campaign import workers

    choice = flow.Choice(lanes=int(lanes) if lanes else None, **chosen)  # type: ignore[arg-type]
    if top is None and len(files) > 1:
        raise click.UsageError("several FILEs are a design of your own: give --top TOP too")
    into = folder or Path("build") / (top or files[0].absolute().parent.name) / "upset" / str(
        chosen["block"]
    )
    make_folder(into)
    prepared = (
        flow.prepare_own(files, top, choice)
        if top
        else flow.prepare_payload(files[0], into, choice)
    )
    plan, why = flow.make_plan(prepared, into, choice)
    _announce(prepared, plan.jobs, plan.faults, why)
    with _bar(plan.jobs) as advance:
        summary = flow.run(prepared, plan, into, choice, processes or workers(), advance)
    _conclude(summary, into, fail_on)
    return ExitCode.DONE


def _default_folder(spec: Path, top: str | None, block: str) -> Path:
    if top:
        return Path("build") / top / "upset"
    return Path("build") / spec.absolute().parent.name / "upset" / block


def _announce(prepared: "Prepared", jobs: int, faults: int, why: str) -> None:
    from fw_tools.upset.places import bits_stored

    machine = prepared.machine
    bits = bits_stored(machine)
    first = f"{machine.top}: {bits:,} stored bits, {len(machine.gates):,} gates"
    driven = f"{len(prepared.inputs):,} clocks with {prepared.stimulus}"
    is_gate = prepared.places[0].is_gate
    flips, thing = ("transients", "gate") if is_gate else ("flips", "bit")
    places = f"{thing} of {len(prepared.places):,}"
    what = f"every {places} in every clock" if jobs == faults else f"a sample of {faults:,}"
    output().print(f"{first}; {driven}", markup=False, highlight=False)
    output().print(
        f"{jobs:,} {flips}, {what}, each watched for {prepared.limits.horizon:,} clocks "
        f"({prepared.lanes} lanes)\n",
        markup=False,
        highlight=False,
    )
    messages().print(why, markup=False, highlight=False)


@contextmanager
def _bar(jobs: int) -> Iterator[Callable[[int], None]]:
    with progress() as display:
        task = display.add_task("flips", total=jobs)
        yield lambda count: display.update(task, advance=count)


def _conclude(summary: "Summary", folder: Path, fail_on: tuple[str, ...]) -> None:
    from fw_tools.upset.summary_table import print_summary

    print_summary(summary, output())
    output().print(f"\nresults: {folder}/results.parquet, {folder}/summary.json", markup=False)
    found: Mapping[str, int] = {share.outcome.name.lower(): share.found for share in summary.shares}
    bad = [f"{found[name]:,} {name}" for name in fail_on if found[name]]
    if bad:
        raise VerificationError(f"of {summary.flips:,} flips, {', '.join(bad)}")
