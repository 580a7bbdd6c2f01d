# SPDX-License-Identifier: Apache-2.0
"""`fw-tools tmr`: a module of one's own in three replicas."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.flow.tmr import Triplicated
    from fw_tools.flow.tmr_campaign import Campaign
    from fw_tools.tmr.plan import Voters

_KINDS = ("register", "module", "clock")
_FAMILIES = ("ecp5", "ice40")
_NAMED_AT_MOST = 4


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--top", required=True, metavar="TOP", help="The module to triplicate.")
@click.option(
    *("-o", "--output", "folder"),
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Where the files go: a new or empty folder, or one that this command wrote.",
)
@click.option(
    "--voters",
    type=click.Choice(("triple", "single")),
    default="triple",
    show_default=True,
    help="triple: logic and voters three times. single: flip-flops three times, the rest once.",
)
@click.option(
    "--leave",
    "left",
    multiple=True,
    metavar="KIND=NAME",
    help="Leave a register, module or clock as it is, as in register='u_uart.*'; may be repeated.",
)
@click.option("-G", "parameters", multiple=True, metavar="NAME=VALUE", help="Parameter of TOP.")
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice((*_FAMILIES, "none")),
    default=_FAMILIES,
    help="Whose synthesis has to leave three of everything; both by default.",
)
@click.option("--no-proof", is_flag=True, help="Do not prove the result.")
@click.option("--check", is_flag=True, help="Prove and count what is in DIR now; write nothing.")
def tmr(
    files: tuple[Path, ...],
    top: str,
    folder: Path,
    voters: str,
    left: tuple[str, ...],
    parameters: tuple[str, ...],
    families: tuple[str, ...],
    no_proof: bool,
    check: bool,
) -> ExitCode:
    """Write TOP in three replicas that vote and heal, as SystemVerilog, to DIR.

    The result has the ports of TOP, and tmr_error_o, which says which replica disagrees. It is read
    back and proven: whatever one replica does, outputs are those of TOP; whatever its flip-flops
    hold, they are right again after one clock. Then synthesis has to leave three of everything, and
    no flip in what it left may reach an output. Synchronisers, and memories with the registers that
    hold what is read, stay as they are. What is still there once is listed, and in DIR/tmr.json.
    Exit code 4, and nothing written, when a claim does not hold.

    \b
    Examples:
      fw-tools tmr --top fifo fifo.sv -o build/fifo_tmr
      fw-tools tmr --top fifo fifo.sv -o build/fifo_tmr --voters single --leave register=head_q
    """
    from fw_tools.flow import tmr as flow
    from fw_tools.tmr.plan import Options

    request = flow.Request(
        sources=files,
        top=top,
        parameters=dict(_pair(text, "-G", "NAME=VALUE") for text in parameters),
        options=Options(voters=cast("Voters", voters), left=tuple(_choice(text) for text in left)),
        families=tuple(family for family in families if family != "none"),
        is_proven=not no_proof,
    )
    done = (flow.check if check else flow.triplicate)(request, folder)
    _print(done)
    verdict = "as it is there" if check else f"{len(done.changed)} files changed"
    output().print(f"{folder}: {top} in three replicas, {verdict}", markup=False)
    return ExitCode.DONE


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.UsageError(f"{option} {text}: give it as {form}")
    return name, value


def _choice(text: str) -> tuple[str, str]:
    kind, name = _pair(text, "--leave", "KIND=NAME")
    if kind not in _KINDS:
        raise click.UsageError(f"--leave {text}: no {kind}; there are: {', '.join(_KINDS)}")
    return kind, name


def _print(done: "Triplicated") -> None:
    bits = sum(len(each.q) for each in done.plan.triplicated)
    _line("triplicated", f"{len(done.plan.triplicated)} registers, {bits} bits")
    if done.claims:
        compared = sum(claim.compared_bits for claim in done.claims)
        names = ", ".join(claim.name for claim in done.claims)
        _line("proven", f"{names} ({compared} bits compared, of every state and input)")
    for each, campaign in zip(done.survivals, done.campaigns, strict=True):
        _line(
            each.family,
            f"{each.flip_flops} flip-flops and {each.voters} voters of their own after synthesis",
        )
        _line("", _flipped(campaign))
    for point in done.single_points:
        _line("single point", f"{point.kind}: {point.bits} ({_named(point.where)})")


def _flipped(campaign: "Campaign") -> str:
    if campaign.refusal:
        return f"not flipped: {campaign.refusal}"
    which = "each in every clock" if campaign.is_exhaustive else "a sample"
    told = "told, seen nowhere else, healed in one clock"
    return f"{campaign.flips:,} flips of them, {which}: {told}"


def _line(label: str, text: str) -> None:
    output().print(f"{label:<13}{text}", markup=False)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
