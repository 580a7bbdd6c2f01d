# SPDX-License-Identifier: Apache-2.0
"""Port lists and connections in SystemVerilog, aligned as a person would write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CONNECTION = re.compile(r"^(?P<head>\s+\.\w+) *(?P<rest>\(.*\),?)$")


@dataclass(frozen=True, slots=True)
class Port:
    """One port; `name` carries its ending `_i` or `_o`, which gives the direction."""

    name: str
    bits: int = 1
    remark: str = ""


@dataclass(frozen=True, slots=True)
class PortGroup:
    """Ports that belong together, under one line of comment."""

    title: str
    ports: tuple[Port, ...]


def port_list(groups: Sequence[PortGroup]) -> str:
    """Return the lines between the brackets of a module's port list."""
    ports = [port for group in groups for port in group.ports]
    width = max(len(_range(port.bits)) for port in ports)
    lines = []
    for group in groups:
        lines += [f"    // {group.title}"] if group.title and group.ports else []
        lines += [_line(port, width, is_last=port is ports[-1]) for port in group.ports]
    return "\n".join(lines)


def _line(port: Port, width: int, *, is_last: bool) -> str:
    direction = "input " if port.name.endswith("i") else "output"
    text = f"    {direction} logic {_range(port.bits):{width}} {port.name}{'' if is_last else ','}"
    return f"{text}  // {port.remark}" if port.remark else text


def _range(bits: int) -> str:
    return f"[{bits - 1}:0]" if bits > 1 else ""


def align_connections(text: str) -> str:
    """Put the brackets of adjacent connections, as in `.clk_i  (clk),`, below each other."""
    aligned: list[str] = []
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.lstrip().startswith("."):
            block.append(line)
            continue
        aligned += _aligned_block(block)
        aligned.append(line)
        block = []
    return "\n".join(aligned)


def _aligned_block(lines: Sequence[str]) -> list[str]:
    matches = [_CONNECTION.match(line) for line in lines]
    width = max((len(match["head"]) for match in matches if match), default=0)
    return [
        f"{match['head']:{width}}{match['rest']}" if match else line
        for line, match in zip(lines, matches, strict=True)
    ]
