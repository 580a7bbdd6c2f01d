# SPDX-License-Identifier: Apache-2.0
"""What a design takes of an FPGA and where it is slowest, for a terminal."""

from typing import TYPE_CHECKING

from fw_tools.fpga.place import Fit
from fw_tools.fpga.slowest_path import PathStep

if TYPE_CHECKING:
    from rich.console import Console


def print_fit(fit: Fit, console: "Console") -> None:
    """Print the resources, the clock, and the slowest path step by step."""
    _print_use(fit, console)
    if fit.slowest_path:
        _print_path(fit.slowest_path, console)


def _print_use(fit: Fit, console: "Console") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify)
    for name, used, available in (
        ("logic cells", fit.logic_cells, fit.logic_cells_available),
        ("block RAMs", fit.block_rams, fit.block_rams_available),
    ):
        table.add_row(name, f"{used:,}", f"of {available:,}", f"{used / available:.0%}")
    table.add_row("flip-flops", f"{fit.flip_flops:,}")
    state = "met" if fit.is_in_time else "[bold red]missed[/]"
    table.add_row("clock", f"{fit.fmax_mhz:.2f} MHz", f"of {fit.clock_mhz:g} MHz", state)
    console.print(table)


def _print_path(steps: tuple[PathStep, ...], console: "Console") -> None:
    from rich.table import Table
    from rich.text import Text

    common = _common_instances(steps)
    where = f", in {common.rstrip('.')}" if common else ""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (("ns", "right"), ("slowest path" + where, "left"), ("source", "left")):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for step in steps:
        inside = step.signal.startswith(common)
        name = step.signal.removeprefix(common) if inside else f"/{step.signal}"
        table.add_row(f"{step.arrives_ns:.1f}", Text(name), Text(step.source))
    console.print("", table)


def _common_instances(steps: tuple[PathStep, ...]) -> str:
    """Return the instances, with a last dot, that all signals but the topmost have in common."""
    instances = [step.signal.split(".")[:-1] for step in steps if "." in step.signal]
    common = []
    for names in zip(*instances, strict=False):
        if len(set(names)) > 1:
            break
        common.append(f"{names[0]}.")
    return "".join(common)
