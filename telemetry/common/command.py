# SPDX-License-Identifier: Apache-2.0
"""Command groups that load a subcommand only when called, and errors as exit codes."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import click

from telemetry.common.errors import DISK_FULL, ReportedError
from telemetry.common.exit_codes import ExitCode


class ReaderGoneError(Exception):
    """Nobody reads standard output any more."""


class LazyGroup(click.Group):
    """A click group whose subcommands are named as `module:attribute` and imported on use.

    The listing of `--help` shows the one-line summaries given here, so that it imports nothing.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})  # name -> (module:attribute, summary)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; click would end the program for a reader that went away."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names in the order in which they were declared."""
        return [*self._lazy, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the subcommand, or None when there is no such name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        rows = [(name, summary) for name, (_, summary) in self._lazy.items()]
        rows += [
            (name, command.get_short_help_str())
            for name in self.commands
            if (command := super(LazyGroup, self).get_command(ctx, name))
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def run(
    command: click.Command,
    program: str,
    arguments: Sequence[str] | None = None,
    *,
    within: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> int:
    """Run a command line and return its exit code; see `ExitCode` for what each means.

    A subcommand returns an `ExitCode` (None is DONE) and raises `ReportedError` for what a user
    can cure. It runs inside of `within()`.
    """
    for request in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(request) is not signal.SIG_IGN:  # As under nohup.
            signal.signal(request, signal.default_int_handler)  # Cleaned up after as Ctrl-C is.
    try:
        with within():
            result = command.main(
                args=None if arguments is None else list(arguments),
                prog_name=program,
                standalone_mode=False,
            )
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except ReportedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return int(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print(f"{program}: interrupted", file=sys.stderr)  # noqa: T201
        return int(ExitCode.INTERRUPTED)
    except (ReaderGoneError, BrokenPipeError):
        # The reader went away (`| head`). Python would complain again while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except Exception as error:
        return int(_after_unexpected(error, program))
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _after_unexpected(error: Exception, program: str) -> ExitCode:
    """Tell of a full disk, wherever it was met; anything else is our bug."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        print(f"{error.filename or program}: cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        return ExitCode.INPUT
    traceback.print_exception(error)
    print(f"{program}: this is a bug in {program}, not in your input", file=sys.stderr)  # noqa: T201
    return ExitCode.INTERNAL
