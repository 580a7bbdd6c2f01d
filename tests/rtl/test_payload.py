# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import FREE_USE as FREE_USE_OF_CELL
from fw_tools.rtl.library import library_files
from fw_tools.rtl.payload import FILE_LIST, payload_digest, render_payload
from fw_tools.rtl.payload_top import whole_module
from fw_tools.rtl.render import FREE_USE, hex_literal
from fw_tools.sim.build import BuildOptions, lint
from fw_tools.sim.verilator import Message
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import BenchSpec, FieldSpec, Payload


@pytest.fixture(scope="module")
def payload(repository: Path) -> Payload:
    return load_payload(repository / "examples/compute_node/payload.toml")


def write(files: tuple[GeneratedFile, ...], folder: Path) -> tuple[Path, ...]:
    for file in files:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_text(file.text)
    lines = (folder / FILE_LIST).read_text().splitlines()
    return tuple(folder / line for line in lines if not line.startswith("//"))


def warnings(payload: Payload, folder: Path) -> tuple[Message, ...]:
    """Return what Verilator -Wall says about the whole of `payload`."""
    sources = write(render_payload(payload), folder)
    bench = BenchSpec(
        name="whole",
        top=whole_module(payload),
        test_modules=(),
        sources=sources,
        waivers=(folder / "rtl/compute_node_regs.vlt",),
    )
    return lint(bench, BuildOptions(work=folder / "work"))


def without(payload: Payload, *what: str) -> Payload:
    """Return `payload` without some of its tables, and without the fields that need them."""
    lacking = replace(payload, **dict.fromkeys(what, ()))
    prefixes = tuple({"rails": "rail.", "memories": "memory."}.get(item, "-") for item in what)
    packets = tuple(
        replace(packet, fields=tuple(f for f in packet.fields if not f.source.startswith(prefixes)))
        for packet in lacking.packets
    )
    return replace(lacking, packets=packets)


def test_every_file_may_be_used_under_any_terms(payload: Payload) -> None:
    for file in render_payload(payload):
        head = "\n".join(file.text.splitlines()[:3])
        assert FREE_USE in head or FREE_USE_OF_CELL in head, file.path


def test_no_file_names_a_tool_version_an_address_or_a_path(payload: Payload) -> None:
    for file in render_payload(payload):
        for word in ("http", "1.3.1", str(Path.home()), str(Path.cwd())):
            assert word not in file.text, f"{file.path}: {word}"


def test_the_file_list_names_every_source_once_packages_first(payload: Payload) -> None:
    files = {str(file.path): file for file in render_payload(payload)}
    listed = [line for line in files[str(FILE_LIST)].text.splitlines() if not line.startswith("//")]
    assert sorted(listed) == sorted(path for path in files if path.endswith(".sv"))
    is_package = [path.endswith("_pkg.sv") for path in listed]
    assert is_package == sorted(is_package, reverse=True)


# In a new process each: the order of sets, the current folder and the home folder may not show.
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_bytes_come_from_any_process_folder_and_home(
    seed: str, payload: Payload, repository: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, hashlib; from pathlib import Path\n"
        "from fw_tools.rtl.payload import render_payload\n"
        "from fw_tools.spec.load import load_payload\n"
        "for file in render_payload(load_payload(Path(sys.argv[1]))):\n"
        "    print(file.path, hashlib.sha256(file.text.encode()).hexdigest())\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"PYTHONHASHSEED": seed, "HOME": str(home), "TZ": "UTC+7"}
    environment["PYTHONPATH"] = str(repository)
    spec = repository / "examples/compute_node/payload.toml"
    printed = subprocess.run(
        [sys.executable, "-c", program, str(spec)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert printed == [
        f"{file.path} {hashlib.sha256(file.text.encode()).hexdigest()}"
        for file in render_payload(payload)
    ]


def test_the_digest_follows_the_model_and_not_the_benches(payload: Payload) -> None:
    bench = BenchSpec(name="b", top="t", test_modules=("m",), sources=())
    assert payload_digest(replace(payload, benches=(bench,))) == payload_digest(payload)
    rail = replace(payload.rails[0], settle_us=payload.rails[0].settle_us + 1)
    changed = replace(payload, rails=(rail, *payload.rails[1:]))
    assert payload_digest(changed) != payload_digest(payload)


@pytest.mark.parametrize(
    "lacking",
    [(), ("rails",), ("memories",), ("packets",), ("rails", "memories", "packets")],
    ids=lambda lacking: "-".join(lacking) or "nothing",
)
def test_a_payload_that_lacks_tables_is_lint_clean(
    lacking: tuple[str, ...], payload: Payload, tmp_path: Path
) -> None:
    assert warnings(without(payload, *lacking), tmp_path) == ()


# Names that other parts of the payload use for their own signals.
@pytest.mark.parametrize("name", ["upsets", "rails", "memory", "control", "clk"])
def test_a_memory_may_have_the_name_of_a_signal(
    name: str, payload: Payload, tmp_path: Path
) -> None:
    memory = replace(payload.memories[0], name=name, words=4)
    assert warnings(replace(without(payload, "memories"), memories=(memory,)), tmp_path) == ()


def test_rail_sources_without_rails_say_that_nothing_is_on_or_wrong(payload: Payload) -> None:
    fields = (
        FieldSpec(name="on", source="rails.on", bits=8, unit=""),
        FieldSpec(name="first", source="rails.first_fault_rail", bits=8, unit=""),
    )
    (packet,) = without(payload, "rails", "memories").packets
    lacking = replace(
        without(payload, "rails", "memories"), packets=(replace(packet, fields=fields),)
    )
    top = next(f.text for f in render_payload(lacking) if f.path.name == "compute_node_top.sv")
    assert "(8'd0)" in top
    assert "(8'hff)" in top


def test_a_library_cell_keeps_its_licence_line_first() -> None:
    (cell,) = library_files("cuc_time")
    assert cell.path == PurePosixPath("rtl/lib/cuc_time.sv")
    assert cell.text.splitlines()[0] == "// SPDX-License-Identifier: Apache-2.0"
    assert cell.text.splitlines()[1] == FREE_USE_OF_CELL


def test_a_library_cell_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(LookupError, match=r"'cuc_tme'; there are: .*cuc_time"):
        library_files("cuc_tme")


def test_a_literal_that_does_not_fit_is_refused() -> None:
    assert hex_literal(10, 8) == "8'h0a"
    assert hex_literal(0x1FF, 9) == "9'h1ff"
    with pytest.raises(ValueError, match="does not fit"):
        hex_literal(256, 8)
