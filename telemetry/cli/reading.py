# SPDX-License-Identifier: Apache-2.0
"""What the commands that read a dump have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from telemetry.ops.options import Options
    from telemetry.ops.source import Source

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


def framing_options(command: Any) -> Any:
    """Add --framing, --skip and --no-primary-header."""
    for option in (
        click.option(
            "--no-primary-header",
            "has_primary_header",
            is_flag=True,
            flag_value=False,
            default=True,
            help="Each frame is a packet data field without its primary header.",
        ),
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


def build_options(framing: str, skip: int, has_primary_header: bool, **more: Any) -> "Options":
    """Return the options of a reading."""
    from telemetry.ops.options import Options

    return Options(framing=framing, skip=skip, has_primary_header=has_primary_header, **more)


def dump_name(dump: str) -> str:
    """Return how messages call a dump."""
    return "standard input" if dump == "-" else dump


@contextmanager
def open_dump(dump: str, doing: str) -> "Iterator[tuple[Source, Iterator[bytes]]]":
    """Open a dump and yield it with its chunks, of which progress is shown.

    `InputError` or `LinkError` when it breaks off.
    """
    from telemetry.common.console import progress
    from telemetry.errors import InputError, LinkError
    from telemetry.ops.source import open_source

    with open_source(dump) as source, progress(unit="bytes") as display:
        task = display.add_task(doing, total=source.octets)

        def chunks() -> Iterator[bytes]:
            for chunk in source.chunks():
                yield chunk
                display.advance(task, len(chunk))

        yield source, chunks()
    if source.problem:
        raise (LinkError if source.is_live else InputError)(source.problem)
