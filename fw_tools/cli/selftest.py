# SPDX-License-Identifier: Apache-2.0
"""`fw-tools selftest` and `fw-tools compare`: the suite on a board, and two of its records."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    import pytest

    from telemetry.common.errors import ReportedError

# Of pytest; the others are a failed test, and no test at all.
_EXITS = {
    0: ExitCode.DONE,
    2: ExitCode.INTERRUPTED,
    3: ExitCode.INTERNAL,
    4: ExitCode.USAGE,
}


@click.command()
@click.option(
    "--board",
    default="twin",
    show_default=True,
    metavar="twin[:SPEC]|NAME|PATH",
    help="The Verilator twin of payload.toml here or of SPEC, a board by name, a board.toml, or "
    "a link.json with --port.",
)
@click.option(
    "--port", metavar="URL", help="/dev/ttyUSB0, COM3, socket://HOST:PORT, rfc2217://HOST:PORT."
)
@click.option("--serial", metavar="NUMBER", help="Serial number of the board's USB port.")
@click.option(
    "--via",
    type=click.Choice(["tcp", "pty", "rfc2217"]),
    default="tcp",
    show_default=True,
    help="How a twin that is started is served.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    default="board-record.json",
    show_default=True,
    metavar="FILE",
    help="Record of the run.",
)
@click.option("-k", "keyword", metavar="WORD", help="Only tests whose name holds this.")
def selftest(
    board: str, port: str | None, serial: str | None, via: str, record: Path, keyword: str | None
) -> ExitCode:
    """Run the tests that ship with fw-tools on a payload, over its line.

    What board or bench lack is skipped by name. 0: all passed, 4: one did not, 7: no link.

    \b
    Examples:
      fw-tools selftest --board twin:payload.toml
      fw-tools selftest --board board.toml --port /dev/ttyUSB0
    """
    from fw_tools.toolchain import require_extra

    require_extra("hil")
    import pytest

    from fw_tools.board import suite

    folder = Path(suite.__file__).parent
    arguments = [
        *(str(folder), "--rootdir", str(folder), "-c", os.devnull, "-q", "-rs"),
        *("-p", "no:cacheprovider", "--import-mode=importlib", "--no-header", "--tb=short"),
        *("-W", "ignore"),  # Of pytest and pyserial; nobody who tests a board can mend them.
        *("--board", board, "--via", via, "--record", str(record.absolute())),
        *(["--port", port] if port else []),
        *(["--serial", serial] if serial else []),
        *(["-k", keyword] if keyword else []),
    ]
    seen = _BoardFailure()
    code = int(pytest.main(arguments, plugins=[seen]))
    if seen.error is not None:
        return seen.error.exit_code
    return _EXITS.get(code, ExitCode.VERIFICATION)


class _BoardFailure:
    """Keeps why the board could not be opened; pytest has said it."""

    error: "ReportedError | None" = None

    def pytest_unconfigure(self, config: "pytest.Config") -> None:
        from fw_tools.board.pytest_plugin import RUN

        self.error = config.stash[RUN].failure


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--all", "is_all", is_flag=True, help="Show also what is alike.")
def compare(first: Path, second: Path, is_all: bool) -> ExitCode:
    """Compare the records of two runs, as of a board and its twin.

    They differ in gateware, in a test that passed in one and failed in the other or is in one
    alone, and in a measurement that is within its limits in one alone. 0: no difference, 4: one.

    \b
    Example:
      fw-tools compare twin.json board.json
    """
    from fw_tools.board.records import compare_records, load_record

    lines = list(compare_records(load_record(first), load_record(second)))
    different = [line for line in lines if line.is_different]
    for line in lines if is_all else different:
        mark = "differs" if line.is_different else "alike"
        click.echo(f"{mark:8}{line.what}: {line.first} | {line.second}")
    click.echo(f"{len(lines)} compared, {len(different)} differ")
    return ExitCode.VERIFICATION if different else ExitCode.DONE
