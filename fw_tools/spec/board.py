# SPDX-License-Identifier: Apache-2.0
"""board.toml: one board, to its record: how it is reached, what it can do, and the FPGA on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fw_tools.spec.board_lines import Line, Step
from fw_tools.spec.board_program import ProgramSpec, read_program
from fw_tools.spec.board_schema import TABLES, BoardTable, FpgaTable, PowerTable
from fw_tools.spec.board_sequences import read_sequences
from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.includes import read_with_includes
from fw_tools.spec.profiles import Profile
from fw_tools.spec.toml_source import KeyPath, TomlSource
from fw_tools.spec.validate import validate_table

STATED = ("rails",)  # Capabilities that no table gives.
_GIVEN = {  # And those that one does.
    "reset": '[reset] with strategy = "dtr", or steps',
    "power": "[power]",
    "strap": "[strap.NAME]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FpgaSpec:
    """The FPGA of a board, and what leads from its pins to a payload. Paths are absolute."""

    part: str  # As in `fw_tools.fpga.parts`.
    clock_hz: int
    profiles: tuple[Profile, ...]  # Of the payloads that fit.
    rails: int  # How many the board has pins for.
    sources: tuple[Path, ...]  # In compile order, around board_payload and power_on_reset.
    top: str
    pins: Path
    flash_bytes: int | None  # None: no image of two bitstreams is made for the board.
    update_address: int
    loader: tuple[str, ...] = ()  # What openFPGALoader is told of it; () where it cannot load it.


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplySpec:
    """A bench supply, and the most that the board behind it takes."""

    url: str
    baud: int
    most_mv: int
    most_ma: int
    identity: str  # Part of what it answers to *IDN?.
    channel: int | None
    settle_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSpec:
    """A board: how it is reached, what it can be made to do, and where its link is described."""

    name: str
    about: str = ""
    url: str | None = None  # As pyserial takes it; None: found by `usb`, or it has to be given.
    usb: tuple[tuple[int, int], ...] = ()  # VID and PID.
    serial: str | None = None
    interface: int | None = None
    link: Path | None = None  # link.json of its payload; None: the board is for any.
    baud: int | None = None  # None: as the link's description says.
    capabilities: tuple[str, ...] = ()  # Those that are only stated.
    ports: Mapping[str, str] = field(default_factory=dict)  # Other lines of the board, by name.
    idle: Mapping[Line, bool] = field(default_factory=dict)  # A line that is not named is on.
    reset: tuple[Step, ...] | None = None
    straps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    power: SupplySpec | None = None
    program: ProgramSpec | None = None
    fpga: FpgaSpec | None = None


def load_board(path: Path) -> BoardSpec:
    """Return the board that the file describes. Raises `InputError` with every mistake in it."""
    source = read_with_includes(path)
    findings = Findings(source)
    for name in source.values:
        if name not in TABLES:
            findings.add((name,), "", f"unknown table {name!r}; {suggestion(name, TABLES)}")
    if "board" not in source.values:
        findings.add((), "", "missing table [board]")
    values = source.values
    board = validate_table(BoardTable, values.get("board", {}), ("board",), "board", findings)
    _check_capabilities(board, findings)
    ports = _read_ports(values.get("ports", {}), findings)
    sequences = read_sequences(source, findings)
    power = _read_power(source, findings)
    program = read_program(source, findings)
    fpga = _read_fpga(source, findings)
    link = _existing(board.link, ("board", "link"), findings) if board and board.link else None
    findings.raise_if_any()
    assert board is not None
    return BoardSpec(
        name=board.name,
        about=board.about,
        url=board.url,
        usb=tuple(board.usb),
        serial=board.serial,
        interface=board.interface,
        link=link,
        baud=board.baud,
        capabilities=tuple(board.capabilities),
        ports=ports,
        idle=sequences.idle,
        reset=sequences.reset,
        straps=sequences.straps,
        power=power,
        program=program,
        fpga=fpga,
    )


def _check_capabilities(board: BoardTable | None, findings: Findings) -> None:
    for index, capability in enumerate(board.capabilities if board else ()):
        if capability in STATED:
            continue
        hint = suggestion(capability, STATED)
        if table := _GIVEN.get(capability):
            hint = f"a table {table} gives it"
        findings.add(
            ("board", "capabilities", index), "board", f"unknown capability {capability!r}; {hint}"
        )


def _read_ports(table: object, findings: Findings) -> dict[str, str]:
    if not isinstance(table, dict):
        findings.add(("ports",), "ports", 'expected a table, as [ports] and console = "COM4"')
        return {}
    for name, url in table.items():
        if not isinstance(url, str) or not url:
            findings.add(("ports", name), "ports", f'{name}: expected a URL, as {name} = "COM4"')
    return table


def _read_power(source: TomlSource, findings: Findings) -> SupplySpec | None:
    if "power" not in source.values:
        return None
    table = validate_table(PowerTable, source.values["power"], ("power",), "power", findings)
    if table is None:
        return None
    return SupplySpec(
        url=table.url,
        baud=table.baud,
        most_mv=table.volts,
        most_ma=table.amps,
        identity=table.identity,
        channel=table.channel,
        settle_s=table.settle / 1e6,
    )


def _read_fpga(source: TomlSource, findings: Findings) -> FpgaSpec | None:
    if "fpga" not in source.values:
        return None
    table = validate_table(FpgaTable, source.values["fpga"], ("fpga",), "fpga", findings)
    if table is None:
        return None
    sources = [
        _existing(name, ("fpga", "sources", index), findings)
        for index, name in enumerate(table.sources)
    ]
    return FpgaSpec(
        part=table.part,
        clock_hz=table.clock,
        profiles=tuple(table.profiles),
        rails=table.rails,
        sources=tuple(path.resolve() for path in sources),
        top=table.top,
        pins=_existing(table.pins, ("fpga", "pins"), findings).absolute(),
        flash_bytes=table.flash * 1024 if table.flash else None,
        update_address=table.update_at * 1024,
        loader=tuple(table.loader),
    )


def _existing(name: str, place: KeyPath, findings: Findings) -> Path:
    """Return the path, relative to the file that names it; a file that is not there is added."""
    path = Path(findings.source.file(place)).parent / name
    if not path.is_file():
        findings.add(place, ": ".join(map(str, place)), f"no such file {path}")
    return path
