# SPDX-License-Identifier: Apache-2.0
"""The options that say which board a command talks to."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fw_tools.board.client import PayloadClient

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a user said of the board, before anything is opened."""

    board: str
    port: str | None
    serial: str | None
    timeout_s: float
    tries: int

    def open(self) -> "AbstractContextManager[PayloadClient]":
        """Return a client of the board, for a `with` block."""
        from fw_tools.board import ClientOptions
        from fw_tools.board.opening import open_board

        return open_board(
            self.board,
            self.port,
            ClientOptions(timeout_s=self.timeout_s, tries=self.tries),
            lambda line: click.echo(line, err=True),
            serial=self.serial,
        )


class FiniteRange(click.FloatRange):
    """A number in a range; NaN, which passes every comparison of a range, is none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the number. Raises `click.BadParameter`."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number


def board_options(command: Command) -> Command:
    """Give a command the options of a board, and of its payload; it gets an open `client`."""

    @connection_options
    @wraps(command)
    def with_client(*arguments: Any, connection: Connection, **options: Any) -> Any:
        with connection.open() as client:
            return command(*arguments, client=client, **options)

    return with_client


def connection_options(command: Command) -> Command:
    """Give a command the same options; it gets a `connection` that it may open."""

    @which_board
    @click.option(
        "--timeout",
        type=FiniteRange(0, min_open=True),
        default=0.5,
        show_default=True,
        metavar="S",
        help="For one try.",
    )
    @click.option(
        "--tries", type=click.IntRange(1), default=3, show_default=True, help="Of each command."
    )
    @wraps(command)
    def with_connection(
        *arguments: Any,
        board: str,
        port: str | None,
        serial: str | None,
        timeout: float,
        tries: int,
        **options: Any,
    ) -> Any:
        connection = Connection(
            board=board, port=port, serial=serial, timeout_s=timeout, tries=tries
        )
        return command(*arguments, connection=connection, **options)

    return with_connection


def which_board(command: Command) -> Command:
    """Give a command `--board`, `--port` and `--serial`."""
    for option in (
        click.option("--serial", metavar="NUMBER", help="Serial number of the board's USB port."),
        click.option(
            "--port",
            metavar="URL",
            help="/dev/ttyUSB0, COM3, socket://HOST:PORT, rfc2217://HOST:PORT; in place of the "
            "board's own.",
        ),
        click.option(
            "--board",
            required=True,
            metavar="twin[:SPEC]|NAME|PATH",
            help="The Verilator twin of payload.toml here or of SPEC, a board by name, a "
            "board.toml, or a link.json with --port.",
        ),
    ):
        command = option(command)
    return command


def whole_number(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Read a number as Python writes it: 100, 0x64."""
    if text is None:
        return None
    try:
        return int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no whole number, as 100 or 0x64") from None
