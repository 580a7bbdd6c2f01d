# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry packets`."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import (
    apid_option,
    build_options,
    check_output,
    definition_option,
    dump_name,
    framing_options,
    open_dump,
    reassemble_option,
)
from telemetry.common.exit_codes import ExitCode
from telemetry.common.interrupt import INTERRUPTED

if TYPE_CHECKING:
    from telemetry.ops.listing import Entry, Lister
    from telemetry.ops.source import Source

SHOWN = 40
_AT_ONCE = 256  # Rows to write.

_HELP = """List the packets in DUMP ("-" reads standard input): where each lies, its APID, sequence
count, length, and whether its CRC holds. What is no packet is listed, too, with the reason.

\b
Without a definition it lists packets of any APID:
  fw-telemetry packets pass17.bin
With one it knows more, and finds packets again behind damage by what it knows:
  fw-telemetry packets pass17.bin --definition mission.py:PACKETS
All of them into a file:
  fw-telemetry packets pass17.bin --definition mission.py:PACKETS -o packets.csv

crc_verdict is "good" or "damaged" where the definition says that there is a CRC. Without a
definition it is "good" if the packet ends in its CRC-16 (by chance, one packet in 65,536 does),
else "none". `missing` counts the packets of the same APID that are missing right before. The number
in the first column is what `fw-telemetry inspect --packet N` takes.
"""

_COLUMNS = (
    "packet", "offset", "bytes", "kind", "apid", "sequence_flags", "sequence_count",
    "data_length", "crc_verdict", "missing_before", "reason",
)  # fmt: skip


@click.command(help=_HELP, short_help="List packets: place, APID, count, length, CRC.")
@click.argument("dump", metavar="DUMP")
@definition_option(required=False)
@apid_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"List the first N only.  [default: {SHOWN}; all with -o]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Write the list as CSV.",
)
@reassemble_option
@framing_options
def packets(
    dump: str,
    definition_source: str | None,
    apid: int | None,
    limit: int | None,
    output: Path | None,
    **framing: Any,
) -> ExitCode:
    """List the packets and return the exit code."""
    from telemetry.columns.loading import load_definition
    from telemetry.ops.listing import Lister

    if output is not None:
        _check_output(output, dump)
    definition = load_definition(definition_source) if definition_source else None
    options = build_options(**framing)
    lister = Lister(definition, options)
    name = dump_name(dump)
    problems: list[str] = []
    with open_dump(dump, "listing", options, may_be_cut=True) as (source, chunks):
        entries = lister.entries(chunks, lambda: source.is_cut)
        if apid is not None:
            entries = (entry for entry in entries if entry.header and entry.header.apid == apid)
        if output is None:
            first = list(islice(entries, limit or SHOWN))
            more = sum(1 for _ in entries)
            _check_any(name, lister)
            _show(first, more)
        else:
            problem = _write(output, entries, limit, source, lambda: _check_any(name, lister))
            problems += [problem] if problem else []
    if source.is_cut and not problems:
        problems.append(INTERRUPTED)
    _tell(name, lister, output, problems)
    return _exit_code(lister, source, problems)


def _exit_code(lister: "Lister", source: "Source", problems: list[str]) -> ExitCode:
    from telemetry.ops.summary import exit_code

    if problems:
        return source.exit_code if INTERRUPTED in problems else ExitCode.INPUT
    code = exit_code(lister.ledger, lister.frame_ledgers)
    return code if lister.ledger.rows else ExitCode.DAMAGED


def _check_any(name: str, lister: "Lister") -> None:
    """Raise `InputError` when there is no packet at all."""
    from telemetry.errors import InputError

    ledger = lister.ledger
    if not ledger.rows and not ledger.others:
        raise InputError(f"{name}: no space packet in {sum(ledger.octets.values()):,} bytes")


def _check_output(output: Path, dump: str) -> None:
    if output.suffix.lower() != ".csv":
        raise click.UsageError(f"-o {output}: the list is CSV; expected a name that ends in .csv")
    check_output(output, (dump,))


def _cells(entry: "Entry") -> Iterator[object]:
    header = entry.header
    yield from ("" if entry.number is None else entry.number, entry.offset, entry.octets)
    yield entry.kind.value
    if header is None:
        yield from ("",) * 4
    else:
        yield from (header.apid, header.sequence_flags, header.sequence_count, header.data_length)
    yield from (entry.verdict, entry.missing_before, entry.reason)


def _write(
    output: Path,
    entries: "Iterator[Entry]",
    limit: int | None,
    source: "Source",
    check: Callable[[], None],
) -> str:
    """Write the list; `check` is called at the end, before the file gets its name.

    Return why the list is not whole: what fitted onto a full disk is kept.
    """
    from telemetry.common.files import WriteError, make_folder
    from telemetry.ops.rows import CellsWriter, DiskFullError

    make_folder(output.parent)
    problem = ""
    writer = CellsWriter(output.parent, output.name)
    try:
        writer.write_header(_COLUMNS)
        chosen = islice(entries, limit)
        while part := [tuple(_cells(entry)) for entry in islice(chosen, _AT_ONCE)]:
            writer.write_cells(part)
    except DiskFullError as error:
        source.is_stopped = True
        problem = f"the output is not whole: {error}"
    except OSError as error:
        writer.discard()
        raise WriteError(output, error.strerror or str(error)) from error
    try:
        for _ in entries:
            pass  # The summary is of all.
        check()
        writer.commit(output)
    finally:
        writer.discard()
    return problem


def _show(entries: "list[Entry]", more: int) -> None:
    from telemetry.common.console import output
    from telemetry.common.tables import Head, fitted_table, left_out_text
    from telemetry.common.text import printable

    heads = (
        Head(name="packet", is_number=True), Head(name="byte", is_number=True),
        Head(name="bytes", is_number=True), Head(name="kind"), Head(name="APID", is_number=True),
        Head(name="flags", is_number=True, rank=1), Head(name="count", is_number=True),
        Head(name="CRC"), Head(name="missing", is_number=True, is_optional=True),
        Head(name="reason", least=16, is_optional=True),
    )  # fmt: skip
    rows = []
    for entry in entries:
        number, offset, octets, kind, apid, flags, seen, _, verdict, gap, reason = _cells(entry)
        cells = (number, offset, octets, kind, apid, flags, seen, verdict, gap or "", reason)
        rows.append([printable(str(cell)) for cell in cells])
    table, left_out = fitted_table(heads, rows, output().width)
    output().print(table)
    if left_out:
        click.echo(f"  {left_out_text(left_out)}")
    if more:
        click.echo(f"... and {more:,} more; --limit N shows more, -o packets.csv writes all")


def _tell(name: str, lister: "Lister", output: Path | None, problems: list[str]) -> None:
    from telemetry.ops.summary import summary_lines

    for line in summary_lines(name, lister.ledger, lister.frame_ledgers):
        click.echo(line, err=True)
    for problem in problems:
        click.echo(problem, err=True)
    if output is not None:
        click.echo(f"wrote {output}", err=True)
