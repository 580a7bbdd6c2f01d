# SPDX-License-Identifier: Apache-2.0
"""Which way imports run. The arrows are those of the house; a reversed one fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# Floors from the top. A floor may import any floor further down; within one floor nobody imports a
# neighbour.
FLOORS = (
    {"fw_tools.cli"},
    {"fw_tools.flow"},
    {"fw_tools.board", "fw_tools.proof", "fw_tools.upset"},
    {"fw_tools.fpga", "fw_tools.sim", "fw_tools.tmr"},
    {"fw_tools.rtl", "fw_tools.netlist"},
    {"fw_tools.spec"},
    {"fw_tools.ecc", "fw_tools.power", "fw_tools.pus"},
    {"fw_tools.errors"},
)
# Plain records and tools beside the house: importable from every floor, importing none.
BESIDE = {"fw_tools.report", "fw_tools.toolchain", "fw_tools.shadow"}
BESIDE_MAY_IMPORT = {"fw_tools.errors", "telemetry.common"}
BENCH_MAY_IMPORT = {"fw_tools.ecc", "fw_tools.power", "fw_tools.pus", "telemetry", "hdl"}


def is_allowed(importer: str, imported: str) -> bool:
    """Tell whether a module may import another; both are dotted names."""
    source, target = room(importer), room(imported)
    if source == target or imported == "fw_tools":
        return True
    if source == "telemetry":
        return target == "telemetry"
    if source == "hdl":
        return target in BENCH_MAY_IMPORT
    if source in BESIDE:
        return target in BESIDE_MAY_IMPORT or imported.startswith("telemetry.common")
    if source == "fw_tools.errors":
        return imported.startswith("telemetry.common")
    if target in BESIDE:
        return True
    if target == "telemetry":
        is_low = height(source) >= height("fw_tools.spec")
        return not is_low or imported.startswith("telemetry.common")
    if target == "hdl":
        return height(source) <= height("fw_tools.rtl")
    return height(source) < height(target)


def room(module: str) -> str:
    """Return the floor's package of a module: two names deep in fw_tools, one elsewhere."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "fw_tools" else parts[0]


def height(package: str) -> int:
    """Return the floor of a package, 0 at the top."""
    for number, packages in enumerate(FLOORS):
        if package in packages:
            return number
    raise AssertionError(f"{package}: stands on no floor of the house")


def imports(root: Path, package: str) -> Iterator[tuple[str, str, str]]:
    """Yield (importer, imported, file:line) for each import of our own packages."""
    for path in sorted((root / package).rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            for name in imported_names(node):
                if name.split(".")[0] in ("fw_tools", "telemetry", "hdl"):
                    yield module, name, f"{path.relative_to(root)}:{node.lineno}"


def imported_names(node: ast.AST) -> list[str]:
    """Return the dotted names that one import statement brings in."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"relative import at line {node.lineno}: write it whole"
        module = node.module or ""
        return [f"{module}.{alias.name}" for alias in node.names]
    return []


@pytest.mark.parametrize("package", ["fw_tools", "telemetry", "hdl"])
def test_imports_run_one_way(repository: Path, package: str) -> None:
    found = list(imports(repository, package))
    assert found
    reversed_arrows = [
        f"{place}: {importer} must not import {imported}"
        for importer, imported, place in found
        if importer != "fw_tools.__main__" and not is_allowed(importer, imported)
    ]
    assert not reversed_arrows, "\n".join(reversed_arrows)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("fw_tools.ecc.hsiao", "fw_tools.spec.records"),
        ("fw_tools.ecc.hsiao", "fw_tools.power.graph"),
        ("fw_tools.rtl.payload", "fw_tools.sim.build"),
        ("fw_tools.rtl.payload", "fw_tools.netlist.yosys"),
        ("fw_tools.spec.load", "telemetry.wire.crc"),
        ("fw_tools.report.page", "fw_tools.spec.records"),
        ("telemetry.wire.crc", "fw_tools.errors"),
        ("hdl.tb.codec_bench", "fw_tools.rtl.codec"),
        ("fw_tools.flow.verify", "fw_tools.cli.main"),
    ],
)
def test_a_reversed_arrow_is_seen(importer: str, imported: str) -> None:
    assert not is_allowed(importer, imported)


def test_every_source_names_its_licence(repository: Path) -> None:
    sources = [
        path
        for folder in ("fw_tools", "telemetry", "hdl", "tests", "examples")
        for path in (repository / folder).rglob("*")
        if path.suffix in (".py", ".sv", ".cpp") and "generated" not in path.parts
    ]
    bare = [
        str(path.relative_to(repository))
        for path in sources
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:400]
    ]
    assert sources
    assert not bare, f"no SPDX line in {', '.join(bare)}"
