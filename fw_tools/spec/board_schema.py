# SPDX-License-Identifier: Apache-2.0
"""The form of board.toml, table by table. Paths in it are relative to the file they stand in."""

import re
from typing import Annotated, Any

from fw_tools.spec.schema import Table, key
from fw_tools.spec.values import (
    Amps,
    Clock,
    DurationOrNone,
    FlashSize,
    Name,
    Parsed,
    ProfileName,
    Text,
    Texts,
    Volts,
    WallClock,
)

MAX_RAILS = 64
MAX_CHANNEL = 16
_USB = r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}"


def _parse_usb(value: object) -> list[tuple[int, int]]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise ValueError('expected USB IDs such as ["0403:6010"]')
    return [_vid_pid(item) for item in items]


def _vid_pid(item: object) -> tuple[int, int]:
    if not isinstance(item, str) or not re.fullmatch(_USB, item):
        raise ValueError(f"{item!r} is no USB ID; expected VID:PID in hexadecimal, as '0403:6010'")
    return int(item[:4], 16), int(item[5:], 16)


def _parse_command(value: object) -> list[str | list[str]]:
    if not isinstance(value, list) or not value:
        raise ValueError('expected a list of words, as ["esptool", "write-flash", "{image}"]')
    for word in value:
        if not all(isinstance(part, str) for part in (word if isinstance(word, list) else [word])):
            raise ValueError(f"{word!r} is no word; put it in quotes")
    return value


UsbIds = Annotated[
    list[tuple[int, int]],
    Parsed(_parse_usb, {"type": "array", "items": {"type": "string", "pattern": f"^{_USB}$"}}),
]
Command = Annotated[list[str | list[str]], Parsed(_parse_command, {"type": "array"})]


class BoardTable(Table):
    """[board]: what it is, and how it is reached."""

    name: Name = key("Name of the board.", "bench_3")
    about: str = key("What it is, in a few words.", "iCE40UP5K with an FT2232", default="")
    url: Text | None = key(
        "Device or URL of its line; --port URL takes its place.",
        "/dev/serial/by-id/usb-FTDI_0001-if00-port0",
        default=None,
    )
    usb: UsbIds = key(
        "VID:PID of its USB port, by which it is found where no url is given.",
        ["0403:6010"],
        default=[],
    )
    serial: Text | None = key(
        "Serial number of its USB port, where several such boards are attached.",
        "FT4XYZ12",
        default=None,
    )
    interface: int | None = key(
        "Which interface of the USB port has the line, of a chip with several.", 1, default=None,
        ge=0, le=31,
    )  # fmt: skip
    link: Text | None = key(
        "link.json of its payload, as generated.", "generated/link.json", default=None
    )
    baud: int | None = key(
        "Bits per second, where they are not the payload's own.", 115200, default=None, ge=50
    )
    capabilities: Texts = key(
        "What tests may do to it besides: switch its rails.", ["rails"], default=[]
    )


class FpgaTable(Table):
    """[fpga]: what a bitstream for the board is made from."""

    part: Text = key("The FPGA, with package and grade.", "LFE5U-85F-6BG381")
    clock: Clock = key("Of the payload on this board.", "25MHz")
    profiles: list[ProfileName] = key("Profiles of payloads that fit.", ["full"], min_length=1)
    rails: int = key("Rails that the board has pins for.", 8, ge=0, le=MAX_RAILS)
    sources: Texts = key(
        "SystemVerilog around board_payload and power_on_reset, in compile order.", ["ulx3s.sv"]
    )
    top: Name = key("The topmost module.", "ulx3s")
    pins: Text = key("The file of pins, in the words of the family's tools.", "ulx3s.lpf")
    flash: FlashSize | None = key("Of the flash with the bitstream.", "16MiB", default=None)
    update_at: FlashSize = key("Where an update begins in the flash.", "4MiB", default=4096)
    loader: Texts = key(
        "What openFPGALoader is told of the board or its cable.", ["--board", "ulx3s"], default=[]
    )


class SequenceTable(Table):
    """[reset], or [strap.NAME]: what the lines of the port do. One of the two keys."""

    strategy: Text | None = key("A known sequence, by name.", "classic", default=None)
    steps: list[dict[str, Any]] | None = key(
        "States of pins, one step after the other, each held 'for' a time.",
        [{"reset": True, "for": "50ms"}, {"reset": False}],
        default=None,
        min_length=1,
    )


class PowerTable(Table):
    """[power]: a bench supply that speaks SCPI over a serial line or TCP."""

    url: Text = key("Device or URL of the supply.", "/dev/ttyUSB1")
    baud: int = key("Bits per second of its line.", 9600, default=9600, ge=50)
    volts: Volts = key("The most that the board takes; not switched on above.", "5.25V")
    amps: Amps = key("The most that the supply may be set to give.", "2A")
    identity: str = key("Part of its answer to *IDN?; another one is refused.", "HMP4040",
                        default="")  # fmt: skip
    channel: int | None = key(
        "Output, of a supply with several (INST:NSEL).", 1, default=None, ge=1, le=MAX_CHANNEL
    )
    settle: DurationOrNone = key("From switching to the next thing done.", "500ms", default=500_000)


class HintTable(Table):
    """[[program.hint]]: what a line of the programmer's output means."""

    text: Text = key("What the output holds.", "Failed to connect")
    say: Text = key("What would be right.", "hold BOOT while the board starts")
    exit: int = key("Exit code of the command then.", 7, default=7, ge=2, le=7)


class ProgramTable(Table):
    """[program]: the program that writes an image to the board."""

    command: Command = key(
        "Its words, with {image}, {port} and {serial}; an inner list is left out where what it "
        "names is not known. No shell.",
        ["stm32flash", "-w", "{image}", "-v", "{port}"],
    )
    verify: Command | None = key(
        "Its words to compare the board with {image}, and write nothing.",
        ["esptool", "--port", "{port}", "verify-flash", "0x0", "{image}"],
        default=None,
    )
    timeout: WallClock = key("It is ended after so long.", "5min", default=300_000_000)
    strap: Text | None = key("Strapping to go through before, by name.", "loader", default=None)
    images: Texts = key("Endings of the files that it takes; any by default.", [".bin"], default=[])
    hint: list[HintTable] = key(
        "What lines of its output mean.",
        [{"text": "Failed to connect", "say": "hold BOOT"}],
        default=[],
    )


TABLES = {
    "board": BoardTable,
    "fpga": FpgaTable,
    "pins": None,  # Names of the board's own.
    "ports": None,
    "idle": None,
    "reset": SequenceTable,
    "strap": None,  # Tables by name.
    "power": PowerTable,
    "program": ProgramTable,
}
