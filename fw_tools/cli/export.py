# SPDX-License-Identifier: Apache-2.0
"""`fw-tools export`: from a payload description to what another tool's flow begins with."""

from pathlib import Path

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

_TARGETS = ("filelist", "vivado", "libero")


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    *("-o", "--output", "folder"),
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Where the files go: a new or empty folder, or one that this command wrote.",
)
@click.option(
    "--for", "target", type=click.Choice(_TARGETS), required=True, help="The tool it is for."
)
def export(spec: Path, folder: Path, target: str) -> ExitCode:
    """Write the payload described in SPEC to DIR for a synthesis that is not ours.

    DIR then holds the sources with filelist.f in compile order, the clock (SDC), a template of pins
    (XDC or PDC), scripts that read them, and a check that counts the flip-flops of each hardened
    register in the netlist that comes out. README.md there tells what may be replaced.

    \b
    Example:
      fw-tools export payload.toml -o build/vivado --for vivado
    """
    from fw_tools.flow import export as flow
    from fw_tools.rtl.export_sources import Target

    done = flow.export(spec, folder, Target(target))
    output().print(
        f"{folder}: {done.name} for {target}, top {done.top}, {done.source_count} sources, "
        f"{done.hardened_count} hardened registers, {len(done.changed)} files changed",
        markup=False,
    )
    return ExitCode.DONE
