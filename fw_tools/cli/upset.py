# SPDX-License-Identifier: Apache-2.0
"""`fw-tools upset`: flip stored bits of a design and tell what comes of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fw_tools import toolchain
from fw_tools.cli.upset_words import (
    announce,
    cross_check,
    replay_line,
    require,
    say_where,
    show_replay,
    show_summary,
    whole_line,
)
from telemetry.common.console import progress
from telemetry.common.exit_codes import ExitCode
from telemetry.common.files import make_folder

if TYPE_CHECKING:
    from fw_tools.upset.faults import Shape, Sort

CROSS_CHECKED = 32
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


def _checked_rate(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    from fw_tools.spec.rates import parse_rate

    try:
        if value is not None:
            parse_rate(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=option) from None
    return value


def _scheduler(_: click.Context, option: click.Parameter, value: str) -> str:
    if value and not value.startswith(("tcp://", "tls://")):
        raise click.BadParameter(f"{value}: give tcp://HOST:PORT or tls://HOST:PORT", param=option)
    return value


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
@click.option(
    "--mbu",
    multiple=True,
    metavar="2..4|SHAPE",
    help="Flip so many neighbours at once, in a word or a register; or offsets: 0,2 or 0:0,1:0 "
    "(word:bit).",
)
@click.option(
    "--stuck-at",
    type=click.Choice(["bits", "nets"]),
    help="Hold every flip-flop, or every gate, at 0 and at 1 from a clock on.",
)
@click.option(
    *("--reset", "are_resets"), is_flag=True, help="Glitch each reset at its flip-flops, one clock."
)
@click.option(
    *("--clock", "are_clocks"), is_flag=True, help="Lose a tick of the clock, and add an early one."
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
    "--inputs",
    type=click.Path(path_type=Path),
    metavar="FILE.npz",
    help="Or with these: an array for each input by its name, a number for each clock.",
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
    *("--pruning/--no-pruning", "is_pruned"),
    default=True,
    help="Of all flips in a memory, those between two accesses of a word as one.",
)
@click.option(
    "--margin", type=click.FloatRange(0.0001, 0.5), default=0.01, show_default=True,
    help="Of a sample: +- what share of each instance.",
)  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--rate",
    callback=_checked_rate,
    metavar="RATE",
    help="Upsets of a bit, as 1e-7/bit/day, for failures a day; else [upset] of SPEC.",
)
@click.option("--processes", type=click.IntRange(1), help="One for each processor by default.")
@click.option("--lanes", type=click.Choice(["64", "256", "512"]), help="The widest by default.")
@click.option(
    *("--cross-check", "sample"),
    type=click.IntRange(0),
    default=CROSS_CHECKED,
    show_default=True,
    metavar="N",
    help="Do N of them again in Verilator; exit code 4 if one ends otherwise.",
)
@click.option(
    "--replay",
    metavar="CLOCK:PLACE",
    help="Do this one in Verilator with waves, and nothing else.",
)
@click.option(
    "--scheduler",
    default="",
    callback=_scheduler,
    metavar="tcp://HOST:PORT",
    help="Hand the work to this scheduler of dask.distributed. A tcp:// line is neither "
    "authenticated nor encrypted: use it in a network that you trust, or tls:// set up in dask.",
)
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
    rate: str | None,
    sample: int,
    replay: str | None,
    mbu: tuple[str, ...],
    **chosen: object,
) -> ExitCode:
    """Flip every stored bit of a design in every clock, and class what comes of each.

    SPEC is a payload: its power sequencer works in a world of rails that answer it, a memory with a
    user. FILEs are a design of your own, in compile order, its outputs looked at by their role.
    Each flip ends as unsafe, silent, hang, detected, outage, corrected, timing, latent or masked.
    Other faults in place of single flips: --transients, --mbu, --stuck-at, --reset, --clock.
    What is too much for a minute is sampled, each instance by itself, and shares have intervals.
    Some are done again in Verilator, of stored bits on the RTL, and have to end there as here.

    \b
    Examples:
      fw-tools upset payload.toml --fail-on unsafe
      fw-tools upset payload.toml --block weight_buffer --fail-on silent
      fw-tools upset payload.toml --replay 17000:u_dut.u_v5_aux.u_enable.q_o
      fw-tools upset --top fifo fifo.sv --feed-forward
      fw-tools upset --top world world.sv dut.sv --within u_dut --exhaustive
      fw-tools upset payload.toml --block weight_buffer --mbu 2..4
    """
    from fw_tools.flow import upset as flow
    from fw_tools.flow.upset_report import Told, write_report
    from fw_tools.upset.campaign import workers

    sort = _sort(bool(mbu), chosen)
    choice = flow.Choice(
        lanes=int(lanes) if lanes else None,
        rates=flow.rates_given(rate) if rate else None,
        sort=sort,
        shapes=_shapes(mbu),
        **chosen,  # type: ignore[arg-type]
    )
    if top is None and len(files) > 1:
        raise click.UsageError("several FILEs are a design of your own: give --top TOP too")
    into = folder or _default_folder(files[0], top, str(chosen["block"]), sort)
    make_folder(into)
    prepared = (
        flow.prepare_own(files, top, choice)
        if top
        else flow.prepare_payload(files[0], into, choice)
    )
    if replay:
        show_replay(prepared, into, replay)
        return ExitCode.DONE
    if sample:
        toolchain.require_simulation()  # Before the work, not after it.
    plan, why = flow.make_plan(prepared, into, choice)
    announce(prepared, plan, why)
    with _bar(plan.jobs) as advance:
        summary = flow.run(prepared, plan, into, choice, processes or workers(), advance)
    context = click.get_current_context()
    line = partial(replay_line, context)
    show_summary(summary, into, line)
    check = cross_check(prepared, into, sample, choice.seed) if sample else None
    told = Told(
        prepared=prepared, choice=choice, summary=summary, cross_check=check, line=line,
        command=whole_line(context),
    )  # fmt: skip
    say_where(write_report(told, into))
    require(summary, check, fail_on)
    return ExitCode.DONE


def _default_folder(first: Path, top: str | None, block: str, sort: "Sort") -> Path:
    kind = "" if sort == "flips" else f"-{sort}"
    if top:
        return Path("build") / top / f"upset{kind}"
    return Path("build") / first.absolute().parent.name / "upset" / f"{block}{kind}"


def _sort(is_multiple: bool, chosen: dict[str, object]) -> "Sort":
    """Take the options that name a sort of faults out of `chosen`; at most one is given."""
    from fw_tools.upset.faults import Sort

    stuck = chosen.pop("stuck_at")
    asked = {
        Sort.TRANSIENTS: chosen.pop("are_transients"),
        Sort.MULTIPLE: is_multiple,
        Sort.STUCK_BITS: stuck == "bits",
        Sort.STUCK_NETS: stuck == "nets",
        Sort.RESETS: chosen.pop("are_resets"),
        Sort.CLOCKS: chosen.pop("are_clocks"),
    }
    found = [sort for sort, is_asked in asked.items() if is_asked]
    if len(found) > 1:
        raise click.UsageError(
            "a campaign has one sort of faults: --transients, --mbu, --stuck-at, --reset or --clock"
        )
    return found[0] if found else Sort.FLIPS


def _shapes(texts: tuple[str, ...]) -> "list[Shape]":
    from fw_tools.upset.faults import parse_shapes

    try:
        return [shape for text in texts for shape in parse_shapes(text)]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--mbu") from None


@contextmanager
def _bar(jobs: int) -> Iterator[Callable[[int], None]]:
    with progress() as display:
        task = display.add_task("flips", total=jobs)
        yield lambda count: display.update(task, advance=count)
