# SPDX-License-Identifier: Apache-2.0
"""`fw-tools init`: a payload project to start from."""

import shlex
from pathlib import Path

import click

from telemetry.common.exit_codes import ExitCode


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--existing", is_flag=True, help="DIR is a tree of yours: add what it lacks, overwrite nothing."
)
def init(folder: Path, existing: bool) -> ExitCode:
    """Write a new payload project to DIR.

    It holds a description (payload.toml), a module and a cocotb bench of your own, a Makefile and
    CI files for two forges, and passes `fw-tools verify` as it is. The payload is named after DIR.

    \b
    Examples:
      fw-tools init my_payload
      fw-tools init --existing .
    """
    from fw_tools.toolchain import require_extra

    require_extra("sim")
    from fw_tools.flow.project import complete_project, create_project

    files = complete_project(folder) if existing else create_project(folder)
    for file in files:
        click.echo(f"{'added' if file.is_added else 'kept '}  {file.path}")
    spec = shlex.quote(str(folder / "payload.toml"))
    click.echo(f"next:  fw-tools verify {spec}")
    click.echo("CI installs fw-tools from requirements.txt: put its wheel into ./wheels")
    return ExitCode.DONE
