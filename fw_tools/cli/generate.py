# SPDX-License-Identifier: Apache-2.0
"""`fw-tools generate`: from a payload description to its gateware."""

from pathlib import Path

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

NAMED_AT_MOST = 12  # Changed files; more are only counted.


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
    "--check", is_flag=True, help="Write nothing; exit 4 when DIR is not what SPEC gives."
)
def generate(spec: Path, folder: Path, check: bool) -> ExitCode:
    """Write the gateware of the payload described in SPEC to DIR.

    DIR then holds SystemVerilog (rtl/, with filelist.f in compile order), the register map and its
    C header (regs/) and telemetry.py, the packet definitions for the ground. The same description
    gives the same bytes on every machine. A file that this command did not write is never touched.

    \b
    Example:
      fw-tools generate examples/compute_node/payload.toml -o build/gateware
    """
    from fw_tools.flow import generate as flow

    done = (flow.check_generated if check else flow.generate)(spec, folder)
    for path in done.changed[:NAMED_AT_MOST]:
        state = "written" if (folder / path).exists() else "removed"
        output().print(f"{state}  {path}", markup=False)
    if len(done.changed) > NAMED_AT_MOST:
        output().print(f"... and {len(done.changed) - NAMED_AT_MOST} more")
    verdict = "as described" if check else f"{len(done.changed)} changed"
    output().print(
        f"{folder}: {done.name}, model {done.digest[:16]}, {done.file_count} files, {verdict}",
        markup=False,
    )
    return ExitCode.DONE
