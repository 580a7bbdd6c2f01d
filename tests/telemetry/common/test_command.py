# SPDX-License-Identifier: Apache-2.0
"""Exit codes of a command, and commands that load when they are called."""

import sys

import click
import pytest

from telemetry.common.command import LazyGroup, run
from telemetry.common.errors import ReportedError
from telemetry.common.exit_codes import ExitCode


class _TornError(ReportedError):
    exit_code = ExitCode.DAMAGED


def exit_code_of(body, *arguments):
    command = click.Command("job", callback=body, params=[click.Option(["--n"], type=int)])
    return run(command, "tool", arguments)


def test_a_command_that_returns_nothing_is_done():
    assert exit_code_of(lambda n: None) == 0


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_command_returns_its_exit_code(code):
    assert exit_code_of(lambda n: code) == int(code)


def test_wrong_arguments_are_2(capsys):
    assert exit_code_of(lambda n: None, "--n", "x") == 2
    assert "'x' is not a valid integer" in capsys.readouterr().err


def test_a_reported_error_is_one_line_and_its_own_code(capsys):
    def body(n):
        raise _TornError("dump.bin: it is torn")

    assert exit_code_of(body) == 6
    assert capsys.readouterr().err == "dump.bin: it is torn\n"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, click.Abort])
def test_an_interruption_is_130(interruption, capsys):
    def body(n):
        raise interruption

    assert exit_code_of(body) == 130
    assert "tool: interrupted" in capsys.readouterr().err


def test_any_other_error_is_our_bug_with_a_traceback(capsys):
    def body(n):
        raise KeyError("oops")

    assert exit_code_of(body) == 1
    messages = capsys.readouterr().err
    assert "Traceback" in messages
    assert "this is a bug in tool, not in your input" in messages


def test_help_is_done(capsys):
    assert exit_code_of(lambda n: None, "--help") == 0


@pytest.fixture
def lazy_group(tmp_path, monkeypatch):
    (tmp_path / "lazily_loaded.py").write_text(
        "import click\n@click.command()\ndef work():\n    return 6\nnot_a_command = 7\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lazily_loaded", raising=False)
    lazy = {
        "work": ("lazily_loaded:work", "Do the work."),
        "wrong": ("lazily_loaded:not_a_command", "No command."),
    }
    return LazyGroup("tool", lazy=lazy)


def test_listing_the_subcommands_does_not_load_them(lazy_group, capsys):
    assert run(lazy_group, "tool", ["--help"]) == 0
    assert "Do the work." in capsys.readouterr().out
    assert "lazily_loaded" not in sys.modules


def test_a_subcommand_is_loaded_when_called_and_its_code_is_returned(lazy_group):
    assert run(lazy_group, "tool", ["work"]) == 6
    assert "lazily_loaded" in sys.modules


def test_an_unknown_subcommand_is_a_usage_error(lazy_group, capsys):
    assert run(lazy_group, "tool", ["wrok"]) == 2
    assert "No such command 'wrok'" in capsys.readouterr().err


def test_a_name_that_is_no_command_is_our_bug(lazy_group, capsys):
    assert run(lazy_group, "tool", ["wrong"]) == 1
    assert "is not a click command" in capsys.readouterr().err
