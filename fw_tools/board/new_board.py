# SPDX-License-Identifier: Apache-2.0
"""A new board.toml: every table and key with what it means, to be uncommented."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from fw_tools.board.finding import BOARD_FILE, OWN_BOARDS
from fw_tools.errors import InputError
from fw_tools.spec.board_lines import STRATEGIES
from fw_tools.spec.board_schema import (
    BoardTable,
    FpgaTable,
    HintTable,
    PowerTable,
    ProgramTable,
    SequenceTable,
)
from fw_tools.spec.names import check_identifier
from fw_tools.spec.validate import example
from telemetry.common.files import make_folder, write_text

_WIDTH = 98
_HEAD = """\
# A board: how it is reached, and what it can be made to do. What begins with '# ' is an example;
# take the '# ' away where it is wanted. Paths are relative to this file.
# `fw-tools boards check {name}` proves what is written here.

## Files that say part of it; what stands later, and what stands here, counts.
# include = ["../common.toml"]
"""
# Per table: its header, what it is for, its model, and which of its keys are shown how.
_PINS = (
    "Names for the lines of the port: dtr, rts, break; '!' inverts. A pin is high while its line "
    "is asserted."
)
_RESET = (
    f"How it is reset: a strategy ({', '.join(STRATEGIES)}) or steps, as under [strap.golden]. In "
    "classic, tight, usb_jtag and hard, as esptool has them, DTR pulls the boot pin low and RTS "
    "the reset."
)
_PROGRAM = (
    "The program that writes an image to the board. No shell is between; {image}, {port} and "
    "{serial} are filled in."
)
_TABLES: tuple[tuple[str, str, type[BaseModel] | None, Mapping[str, str]], ...] = (
    ("[pins]", _PINS, None, {"reset": '"!dtr"', "boot_select": '"!rts"'}),
    ("[ports]", "Further ports of the board, by name, for --port.", None,
     {"console": '"/dev/ttyUSB1"'}),
    ("[idle]", "Pins while the port is open; a line that is not named is asserted.", None,
     {"reset": "false", "boot_select": "false"}),
    ("[reset]", _RESET, SequenceTable, {"strategy": '"dtr"'}),
    ("[strap.golden]", "A strapping, by a name of yours.", SequenceTable,
     {"steps": '[{ boot_select = true, for = "10ms" }]'}),
    ("[power]", "A bench supply that speaks SCPI; never switched on above these.", PowerTable, {}),
    ("[program]", _PROGRAM, ProgramTable, {"strap": '"golden"', "hint": ""}),
    ("[[program.hint]]", "What its output means; as many as are wanted.", HintTable, {}),
    ("[fpga]", "For `fw-tools build`: the FPGA, and what leads from its pins to the payload.",
     FpgaTable, {}),
)  # fmt: skip


def create_board(name: str) -> Path:
    """Write `boards/NAME/board.toml` and return its path.

    Raises `InputError` for a name that is none, and for a file that is there already.
    """
    try:
        check_identifier(name)
    except ValueError as error:
        raise InputError(f"boards new {name}: {error}") from None
    path = OWN_BOARDS / name / BOARD_FILE
    if path.exists():
        raise InputError(f"{path}: is there already; nothing was written")
    make_folder(path.parent)
    write_text(path, render_board(name))
    return path


def render_board(name: str) -> str:
    """Return the text of a new board.toml; as it stands it describes a board with a name alone."""
    lines = [_HEAD.format(name=name), "[board]", f'name = "{name}"']
    lines += _keys(BoardTable, {"name": ""})
    for header, about, model, shown in _TABLES:
        lines += ["", *_comment(about), f"# {header}"]
        lines += _keys(model, shown) if model else _names(shown)
    return "\n".join(lines) + "\n"


def _keys(model: type[BaseModel], shown: Mapping[str, str]) -> Iterator[str]:
    """Yield each key with its description; `shown` has other examples, "" for none at all."""
    is_choice = model is SequenceTable
    for key, field in model.model_fields.items():
        if shown.get(key) == "" or (is_choice and key not in shown):
            continue
        yield from _comment(field.description or "")
        yield f"# {key} = {shown[key]}" if key in shown else f"# {example(key, field)}"


def _names(shown: Mapping[str, str]) -> Iterator[str]:
    for key, value in shown.items():
        yield f"# {key} = {value}"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="## ", subsequent_indent="## ")
