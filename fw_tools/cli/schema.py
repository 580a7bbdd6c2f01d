# SPDX-License-Identifier: Apache-2.0
"""`fw-tools schema`: the form of payload.toml, for editors."""

from pathlib import Path

import click

from telemetry.common.exit_codes import ExitCode


@click.command()
@click.option(
    *("-o", "--output"),
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to FILE instead of standard output.",
)
def schema(output: Path | None) -> ExitCode:
    """Print the JSON Schema of payload.toml.

    Editors with a TOML language server complete and explain keys when the first line of
    payload.toml names the schema:

    \b
      #:schema ./payload.schema.json

    \b
    Example:
      fw-tools schema -o payload.schema.json
    """
    import json

    from fw_tools.toolchain import require_extra

    require_extra("sim")
    from fw_tools.spec.schema import json_schema
    from telemetry.common.files import write_text

    text = json.dumps(json_schema(), indent=2)
    if output:
        write_text(output, f"{text}\n")
    else:
        click.echo(text)
    return ExitCode.DONE
