# SPDX-License-Identifier: Apache-2.0
"""`fw-tools docs`: the pages about a payload."""

from pathlib import Path

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    *("-o", "--output", "folder"),
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Where the pages go: a new or empty folder, or one that this command wrote.",
)
def docs(spec: Path, folder: Path) -> ExitCode:
    """Write the register page of the payload described in SPEC, and an index, to DIR.

    index.html shows registers, packets and rails and opens anywhere; registers/ is PeakRDL's page
    with a search, which a browser opens from a web server only. The pages carry the time at which
    they were made, so they are no part of `generate`.

    \b
    Example:
      fw-tools docs examples/compute_node/payload.toml -o build/docs
    """
    from fw_tools.flow.docs import write_docs

    output().print(f"{write_docs(spec, folder)}", markup=False)
    return ExitCode.DONE
