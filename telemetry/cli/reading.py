# SPDX-License-Identifier: Apache-2.0
"""What the commands that read a dump have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.ops.decode import Outcome
    from telemetry.ops.options import Options
    from telemetry.ops.source import Source
    from telemetry.ops.statistics import Statistics

DEFINITION_HELP = "What is in the packets, as for `fw-telemetry decode`. It is run."


def offset_option(*, required: bool, text: str) -> Callable[[Any], Any]:
    """Return the option --offset: a number, also as 0x1267."""
    return click.option(
        "--offset", callback=_read_offset, required=required, metavar="N", help=text
    )


def _read_offset(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        offset = int(value, 0)
    except ValueError:
        offset = -1
    if offset < 0:
        text = f"{value!r} is no offset; expected a number from 0, as 4711 or 0x1267"
        raise click.BadParameter(text, ctx, param)
    return offset


def definition_option(*, required: bool = True) -> Callable[[Any], Any]:
    """Return the option --definition."""
    return click.option(
        "--definition",
        "definition_source",
        required=required,
        metavar="FILE.py:NAME|MODULE:NAME|FILE.csv",
        help=DEFINITION_HELP,
    )


def no_primary_header_option(text: str) -> Callable[[Any], Any]:
    """Return the option --no-primary-header."""
    return click.option(
        "--no-primary-header",
        "has_primary_header",
        is_flag=True,
        flag_value=False,
        default=True,
        help=text,
    )


def merge_option(command: Any) -> Any:
    """Add --merge."""
    return click.option(
        "--merge",
        type=click.Choice(["arrival", "time"]),
        default="arrival",
        show_default=True,
        help="Take several dumps one after the other, or packet by packet in order of time.",
    )(command)


def reassemble_options(command: Any) -> Any:
    """Add --reassemble and --repeated-header."""
    for option in (
        click.option(
            "--repeated-header",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="With --reassemble: leave out N bytes, a secondary header, before the data of "
            "each segment but the first.",
        ),
        reassemble_option,
    ):
        command = option(command)
    return command


def reassemble_option(command: Any) -> Any:
    """Add --reassemble."""
    return click.option(
        "--reassemble",
        is_flag=True,
        help="Put segments (sequence flags first, continuation, last) together; the definition is "
        "of the whole.",
    )(command)


def serial_options(command: Any) -> Any:
    """Add --baud and --line."""
    for option in (
        click.option(
            "--line",
            default="8N1",
            metavar="8N1",
            show_default=True,
            help="Data bits, parity (N, E, O) and stop bits of a serial port.",
        ),
        click.option(
            "--baud",
            "baudrate",
            type=click.IntRange(min=1),
            default=115200,
            metavar="N",
            show_default=True,
            help="Bits per second of a serial port.",
        ),
    ):
        command = option(command)
    return command


def framing_options(command: Any) -> Any:
    """Add --framing, --skip and --no-primary-header, and what serial ports need."""
    for option in (
        serial_options,
        no_primary_header_option("Each frame is a packet data field without its primary header."),
        click.option(
            "--skip",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="Leave out N bytes before each packet.",
        ),
        click.option(
            "--framing",
            default="none",
            metavar="NAME",
            show_default=True,
            help="How packets are wrapped: none, kiss, slip, cobs, length:2be, fixed:N.",
        ),
    ):
        command = option(command)
    return command


def apid_option(command: Any) -> Any:
    """Add --apid."""
    return click.option("--apid", type=int, metavar="N", help="This APID only.")(command)


def processes_option(command: Any) -> Any:
    """Add --processes."""
    return click.option(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="Work in N processes; what comes out is the same.",
    )(command)


def build_options(framing: str, skip: int, has_primary_header: bool, **more: Any) -> "Options":
    """Return the options of a reading."""
    from telemetry.ops.options import Options

    return Options(framing=framing, skip=skip, has_primary_header=has_primary_header, **more)


def dump_name(dump: str) -> str:
    """Return how messages call a dump."""
    return "standard input" if dump == "-" else dump


@contextmanager
def open_dump(
    dump: str, doing: str, options: "Options", *, may_be_cut: bool = False
) -> "Iterator[tuple[Source, Iterator[bytes]]]":
    """Open a dump and yield it with its chunks, of which progress is shown.

    `InputError` or `LinkError` when it breaks off. With `may_be_cut` Ctrl-C ends the chunks and
    what was read by then counts; else it ends the command.
    """
    from telemetry.common.console import progress
    from telemetry.errors import InputError, LinkError
    from telemetry.ops.source import open_source

    opened = open_source(dump, baudrate=options.baudrate, line=options.line)
    with opened as source, progress(unit="bytes") as display:
        task = display.add_task(doing, total=source.octets)

        def chunks() -> Iterator[bytes]:
            for chunk in source.chunks():
                yield chunk
                display.advance(task, len(chunk))
            if source.is_cut and not may_be_cut:
                raise KeyboardInterrupt

        yield source, chunks()
    if source.problem:
        raise (LinkError if source.is_live else InputError)(source.problem)


def selection_options(command: Any) -> Any:
    """Add --apid, --columns, and what tells and selects times, as `decode` has them."""
    for option in (
        click.option(
            "--leap-seconds", metavar="FILE", help="A newer leap-seconds.list; see `decode`."
        ),
        click.option("--epoch", metavar="NAME", help="What time fields count from; see `decode`."),
        click.option("--time", metavar="FIELDS", help="The packets' time fields; see `decode`."),
        click.option("--until", metavar="TIME", help="Packets before this time."),
        click.option(
            "--since", metavar="TIME", help="Packets from this time on: 2026-11-22T10:30:00Z."
        ),
        click.option(
            "--columns",
            metavar="NAMES",
            help="Only these columns, by name or pattern: volts,rails*.",
        ),
        apid_option,
    ):
        command = option(command)
    return command


def build_all_options(columns: str | None, **wanted: Any) -> "Options":
    """Return the options of a command that has `framing_options` and `selection_options`."""
    chosen = tuple(columns.split(",")) if columns is not None else ()
    return build_options(**wanted, columns=chosen)


def run_statistics(
    dumps: tuple[str, ...],
    definition_source: str,
    options: "Options",
    *,
    is_drawn: bool = False,
) -> "tuple[Statistics, Outcome]":
    """Read dumps into statistics; `InputError` when no packet came out."""
    from telemetry.columns.loading import load_definition
    from telemetry.errors import InputError, UsageError
    from telemetry.ops.decode import decode_dumps, explain_nothing
    from telemetry.ops.statistics import Statistics

    definition = load_definition(definition_source)
    if options.apid is not None:
        definition = definition.bind(options.apid)
    statistics = Statistics(definition, options, is_drawn=is_drawn)
    with progress_of(dumps, "decoding") as advance:
        outcome = decode_dumps(dumps, definition, statistics, options, advance)
    if not outcome.ledger.rows:
        raise InputError(explain_nothing(outcome, definition))
    if not any(apid.columns for apid in statistics.apids.values()):
        raise UsageError(options.complaint())
    return statistics, outcome


@contextmanager
def progress_of(dumps: tuple[str, ...], doing: str) -> Iterator[Callable[[int], object]]:
    """Show progress; what is yielded is told the size of each chunk that is done."""
    from telemetry.common.console import progress

    files = [Path(dump) for dump in dumps]
    is_known = all(file.is_file() for file in files)
    size = sum(file.stat().st_size for file in files) if is_known else None
    with progress(unit="bytes") as display:
        task = display.add_task(doing, total=size or None)
        yield lambda octets: display.advance(task, octets)


def outcome_code(outcome: "Outcome") -> ExitCode:
    """Return the exit code of a reading that gave rows."""
    from telemetry.ops.summary import exit_code

    code = exit_code(outcome.ledger, outcome.frame_ledgers)
    if code is ExitCode.DONE and outcome.problems:
        code = ExitCode.DAMAGED
    return outcome.code or code


def check_output(
    output: Path, inputs: tuple[str, ...], option: str = "-o", what: str = "the dump"
) -> None:
    """Refuse an output in a folder that is not there, and one that is an input: `what` it is."""
    if not output.parent.is_dir():
        raise click.UsageError(f"{option} {output}: there is no folder {output.parent}")
    if output.is_dir():
        raise click.UsageError(f"{option} {output}: this is a folder; expected the name of a file")
    for name in inputs:
        if output.exists() and Path(name).exists() and output.samefile(name):
            raise click.UsageError(f"{option} {output}: this is {what}")
