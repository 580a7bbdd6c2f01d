# SPDX-License-Identifier: Apache-2.0
"""Exports for other tools: what stands in the folder is enough, and the check sees merged replicas.

Vendors' scripts run in Tcl with the vendor's commands recorded; the netlists that are checked are
Yosys' for AMD and Microchip parts, with those vendors' flip-flops.
"""

import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fw_tools.errors import InputError
from fw_tools.flow.export import export
from fw_tools.netlist import Netlist, synthesise
from fw_tools.netlist.hardened import elaborate
from fw_tools.netlist.yosys import run_yosys
from fw_tools.rtl.export_files import Export, render_export
from fw_tools.rtl.export_sources import Target
from fw_tools.rtl.payload import source_files
from fw_tools.toolchain import verilator_environment

SPEC = Path("examples/breaker_mini/payload.toml")
TOP = "breaker_mini_payload"
SMALL = ("kept_reg", "tmr_voter", "tmr_majority", "tmr_reg")
VENDORS = {Target.VIVADO: "synth_xilinx -flatten", Target.LIBERO: "synth_microchip"}
# As Vivado 2024.1 (UG835, UG903), Libero (PDC and Tcl command references) and SDC 2.1 name them.
COMMANDS = (
    *("read_verilog", "read_xdc", "create_links", "build_design_hierarchy", "set_root", "set_io"),
    "organize_tool_files",
    *("create_clock", "set_false_path", "get_ports", "set_property"),
)


@pytest.fixture(scope="module")
def repository() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=list(Target))
def target(request: pytest.FixtureRequest) -> Target:
    return request.param


@pytest.fixture(scope="module")
def exported(repository: Path, target: Target, tmp_path_factory: Any) -> Path:
    """Return an export that was moved since."""
    folder = tmp_path_factory.mktemp("exports")
    export(repository / SPEC, folder / "first", target)
    shutil.move(folder / "first", folder / "moved elsewhere")
    return folder / "moved elsewhere"


@pytest.fixture(scope="module")
def netlist(repository: Path) -> Netlist:
    """Return what our own synthesis makes of the payload."""
    sources = source_files(repository / "examples/breaker_mini/generated")
    return synthesise([path for path in sources if "_twin" not in path.name], TOP, "ecp5")


def sources_of(folder: Path) -> list[str]:
    lines = (folder / "filelist.f").read_text().splitlines()
    return [line for line in lines if not line.startswith("//")]


class Tcl:
    """Tcl with a vendor's commands, which are recorded."""

    def __init__(self) -> None:
        tkinter = pytest.importorskip("tkinter", reason="needs Python's tkinter for its Tcl")
        self.interpreter = tkinter.Tcl()
        self.calls: list[tuple[str, ...]] = []
        for command in COMMANDS:
            self.answer(command, "")

    def answer(self, command: str, with_: str) -> None:
        def record(*arguments: str) -> str:
            self.calls.append((command, *arguments))
            return with_ or " ".join(arguments)

        self.interpreter.createcommand(command, record)

    def run(self, path: Path) -> None:
        self.interpreter.eval(f"source {{{path}}}")

    def of(self, command: str) -> list[tuple[str, ...]]:
        return [call[1:] for call in self.calls if call[0] == command]


def test_the_folder_alone_elaborates(exported: Path, repository: Path, target: Target) -> None:
    waivers = [str(path.relative_to(exported)) for path in exported.glob("rtl/*.vlt")]
    assert len(waivers) == (target is Target.FILELIST)
    strictness = "-Wall" if waivers else "-Wno-fatal"
    done = subprocess.run(
        ["verilator", "--lint-only", strictness, *waivers, "-f", "filelist.f", "--top-module", TOP],
        cwd=exported,
        env=verilator_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not waivers or not done.stderr
    assert not [line for line in sources_of(exported) if "_twin" in line]
    original = source_files(repository / "examples/breaker_mini/generated")
    found = elaborate([exported / line for line in sources_of(exported)], TOP)
    assert found == elaborate([path for path in original if "_twin" not in path.name], TOP)
    assert {port.name for port in found.ports} > {"clk_i", "rst_ni", "uart_rx_i", "uart_tx_o"}


def test_what_is_hardened_is_what_our_own_netlist_holds(exported: Path, netlist: Netlist) -> None:
    lines = (exported / "hardened.txt").read_text().splitlines()
    rows = [line.split(" ") for line in lines if not line.startswith("#")]
    # Each rail: state code, timer, two replicas of enable and of power good; two of the halt.
    assert len(rows) == 4 * (1 + 1 + 2 + 2) + 2
    for bits, path in rows:
        assert len(netlist.register(f"{path}.stored_q")) == int(bits)


def test_attributes_are_spelled_as_the_vendor_has_them(exported: Path, target: Target) -> None:
    texts = {
        name: (exported / f"rtl/lib/{name}.sv").read_text() for name in ("kept_reg", "sync_2ff")
    }
    words = {
        Target.FILELIST: ('keep_hierarchy = "yes"', 'keep = "true"', "async_reg"),
        Target.VIVADO: ('dont_touch = "yes"', 'keep = "true", dont_touch = "true"', "async_reg"),
        Target.LIBERO: ('syn_hier = "hard"', "syn_preserve = 1, syn_replicate = 0", "syn_preserve"),
    }[target]
    assert words[0] in texts["kept_reg"]
    assert words[1] in texts["kept_reg"]
    assert words[2] in texts["sync_2ff"]
    if target is Target.LIBERO:
        assert not re.search(r"\(\* (keep|async)", "".join(texts.values()))


def test_constraints_are_tcl_and_name_every_pin(exported: Path, target: Target) -> None:
    ports = elaborate([exported / line for line in sources_of(exported)], TOP).ports
    tcl = Tcl()
    tcl.run(exported / "breaker_mini.sdc")
    assert tcl.of("create_clock") == [("-name", "clk_i", "-period", "83.333", "clk_i")]
    asynchronous = {"uart_rx_i", "boot_select_i"} | {
        port.name for port in ports if port.name.startswith("pin_")
    }
    assert {call[1] for call in tcl.of("set_false_path")} == asynchronous
    assert len(asynchronous) == 10
    names = {Target.VIVADO: "breaker_mini.xdc", Target.LIBERO: "breaker_mini.pdc"}
    if target is Target.FILELIST:
        return
    template = (exported / names[target]).read_text()
    assert not re.search(r"^[^#\n]", template, re.MULTILINE)  # Nothing is claimed of a board.
    filled = exported.parent / names[target]
    filled.write_text(re.sub(r"^# (set_)", r"\1", template, flags=re.MULTILINE).replace("??", "A1"))
    tcl.run(filled)
    places = {Target.VIVADO: ("set_property", 2), Target.LIBERO: ("set_io", 1)}[target]
    named = [call[places[1]] for call in tcl.of(places[0])]
    assert named == [port.name for port in ports]
    if target is Target.LIBERO:
        directions = [call[call.index("-DIRECTION") + 1] for call in tcl.of("set_io")]
        assert directions == ["INPUT" if port.is_input else "OUTPUT" for port in ports]


def test_scripts_read_the_sources_in_compile_order(exported: Path, target: Target) -> None:
    if target is Target.FILELIST:
        assert not list(exported.glob("*.tcl"))
        return
    tcl = Tcl()
    tcl.run(exported / f"{target}.tcl")
    command = {Target.VIVADO: "read_verilog", Target.LIBERO: "create_links"}[target]
    read = [Path(call[1]) for call in tcl.of(command) if call[0] in ("-sv", "-hdl_source")]
    assert [str(path.relative_to(exported)) for path in read] == sources_of(exported)
    others = [Path(call[-1]) for call in (*tcl.of("read_xdc"), *tcl.of("create_links"))]
    others += [
        Path(following)
        for call in tcl.of("organize_tool_files")
        for word, following in itertools.pairwise(call)
        if word == "-file"
    ]
    assert len(others) == {Target.VIVADO: 2, Target.LIBERO: len(read) + 2 + 4}[target]
    assert all(path.is_file() for path in (*read, *others))


def test_an_export_is_the_same_again_and_a_foreign_folder_is_not_touched(
    repository: Path, exported: Path, target: Target, tmp_path: Path
) -> None:
    again = export(repository / SPEC, exported, target)
    assert again.changed == ()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        export(repository / SPEC, tmp_path, target)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_command_tells_what_it_wrote(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fw_tools", "export", str(repository / SPEC)]
    command += ["-o", str(tmp_path / "out")]
    done = subprocess.run([*command, "--for", "libero"], capture_output=True, text=True, check=True)
    assert "26 hardened registers" in done.stdout.replace("\n", " ")
    done = subprocess.run(
        [*command, "--for", "quartus"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "'quartus' is not one of 'filelist', 'vivado', 'libero'" in done.stderr


# --- The check of a vendor's netlist ---


def cells(repository: Path, folder: Path, *, is_kept: bool) -> list[Path]:
    found = []
    for name in SMALL:
        text = (repository / f"hdl/rtl/common/{name}.sv").read_text()
        text += (repository / "hdl/rtl/link/warm_reset.sv").read_text() if name == "tmr_reg" else ""
        if not is_kept:
            text = re.sub(r"\(\* keep.*? \*\)", "", text)
        found.append(folder / f"{name}.sv")
        found[-1].write_text(text)
    return found


@pytest.fixture(scope="module", params=list(VENDORS))
def checked(request: pytest.FixtureRequest, repository: Path, tmp_path_factory: Any) -> Any:
    """Return a vendor, the files of an export of `warm_reset`, and its netlists: kept, merged."""
    folder = tmp_path_factory.mktemp("netlists")
    sources = cells(repository, folder, is_kept=True)
    found = elaborate(sources, "warm_reset")
    described = Export(
        name="resets",
        top="warm_reset",
        digest="0" * 64,
        clock_hz=1,
        sources=(),
        pins=(),
        hardened=found.hardened,
    )
    for file in render_export(described, request.param):
        (folder / file.path).write_text(file.text)
    netlists = {}
    for is_kept in (True, False):
        cells(repository, folder, is_kept=is_kept)
        name = "kept.v" if is_kept else "merged.v"
        run_yosys(
            [
                "read_slang --keep-hierarchy --top warm_reset "
                + " ".join(f"{source}.sv" for source in SMALL),
                f"{VENDORS[request.param]} -top warm_reset",
                f"write_verilog {name}",
            ],
            folder,
        )
        netlists[is_kept] = folder / name
    return request.param, folder, netlists


def run_check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "check_flip_flops.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_check_passes_replicas_and_names_merged_ones(checked: Any) -> None:
    _, folder, netlists = checked
    done = run_check(folder, str(netlists[True]), "warm_reset")
    assert (done.returncode, done.stdout) == (
        0,
        "all 9 hardened registers have their flip-flops\n",  # Three registers in three replicas.
    ), done.stdout + done.stderr
    done = run_check(folder, str(netlists[False]), "warm_reset")
    assert done.returncode == 4, done.stdout
    assert "hardened registers lost flip-flops" in done.stdout


def test_one_merged_register_of_many_is_named(checked: Any) -> None:
    """One flip-flop is taken out of one replica, as if it had been merged into another's."""
    _, folder, netlists = checked
    text = netlists[True].read_text()
    cell = re.search(r"  (?:FDCE|FDPE|SLE)\b.*?;\n", text, re.DOTALL)
    assert cell
    (folder / "one.v").write_text(text[: cell.start()] + text[cell.end() :])
    done = run_check(folder, str(folder / "one.v"), "warm_reset")
    assert done.returncode == 4
    assert re.search(
        r"^u_\w+\.gen_replica\[\d\]\.u_replica: \d flip-flops of \d$", done.stdout, re.M
    )
    assert "1 of 9 hardened" in done.stdout


def test_a_netlist_that_cannot_be_used_is_told(checked: Any, tmp_path: Path) -> None:
    _, folder, netlists = checked
    done = run_check(folder, str(tmp_path / "none.v"), "warm_reset")
    assert (done.returncode, "cannot be read" in done.stderr) == (3, True)
    done = run_check(folder, str(netlists[True]), "other")
    assert (done.returncode, "holds no module other" in done.stderr) == (3, True)


def test_the_check_in_vivado_tells_the_same(checked: Any) -> None:
    vendor, folder, netlists = checked
    if vendor is not Target.VIVADO:
        return
    scope: dict[str, Any] = {"__name__": "check"}
    exec((folder / "check_flip_flops.py").read_text(), scope)
    tkinter = pytest.importorskip("tkinter", reason="needs Python's tkinter for its Tcl")
    for is_kept, path in netlists.items():
        modules = scope["read_modules"](path.read_text())
        names = [
            f"{inside.rstrip('.')}/{name.removeprefix(inside)}".lstrip("/")
            for inside, name in scope["flip_flops"](modules, "warm_reset")
        ]
        tcl = Tcl()
        tcl.interpreter.createcommand("get_cells", lambda *_, found=names: tuple(found))
        tcl.interpreter.createcommand("puts", lambda *_: "")
        if is_kept:
            tcl.run(folder / "check_flip_flops.tcl")
            continue
        with pytest.raises(tkinter.TclError, match="of 9 hardened registers lost flip-flops"):
            tcl.run(folder / "check_flip_flops.tcl")
