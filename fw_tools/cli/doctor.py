# SPDX-License-Identifier: Apache-2.0
"""`fw-tools doctor`: what is on this machine, and how to get what is not."""

import platform
import sys
from collections.abc import Iterable

import click

from fw_tools import toolchain
from fw_tools.shadow import foreign_packages
from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

NEEDED = ("base", "[sim]")  # The other extras are for those who ask for them.


@click.command()
def doctor() -> ExitCode:
    """Show every tool with version and origin, and the command that brings a missing one.

    Exit code 5 when something that the simulator needs is absent or a foreign package shadows
    ours; an absent extra, or git, is only shown.
    """
    tools = toolchain.simulation_tools()
    clone_tools = toolchain.clone_tools()
    libraries = toolchain.libraries()
    foreign = foreign_packages()
    _print_table("Python", [_python()])
    _print_table("Simulation", tools)
    _print_table("In a clone", clone_tools)
    _print_table(f"Libraries, from {toolchain.site_packages()} unless said", libraries)
    _print_cures([*tools, *clone_tools, *libraries])
    for line in foreign:
        output().print(f"[bold red]foreign[/] {line}")
    needed = [*tools, *(library for library in libraries if library.purpose in NEEDED)]
    is_complete = not foreign and all(tool.is_present for tool in needed)
    return ExitCode.DONE if is_complete else ExitCode.MISSING


def _python() -> toolchain.Tool:
    return toolchain.Tool(
        name="python",
        purpose="runs all of this",
        version=platform.python_version(),
        origin=sys.executable,
        cure="",
    )


def _print_table(title: str, tools: Iterable[toolchain.Tool]) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("tool", "version", "for", "from"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "tool")
    for tool in tools:
        version = tool.version if tool.is_present else f"[red]{tool.version or 'absent'}[/]"
        table.add_row(tool.name, version, tool.purpose.replace("[", r"\["), tool.origin)
    output().print(table, "")


def _print_cures(tools: Iterable[toolchain.Tool]) -> None:
    for tool in tools:
        if not tool.is_present:
            output().print(f"[red]missing[/] {tool.name}: {tool.cure}", markup=True)
