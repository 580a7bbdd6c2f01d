# SPDX-License-Identifier: Apache-2.0
"""[[bench]] tables, in payload.toml or in a file of their own, to one record per matrix cell."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.spec.bench_files import Place, existing
from fw_tools.spec.filelist import FileList, Pairs, read_filelist
from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.records import BenchSpec
from fw_tools.spec.schema import BenchTable, PayloadFile
from fw_tools.spec.toml_source import TomlSource, read_toml
from fw_tools.spec.validate import validate_table
from fw_tools.spec.values import Scalar

# Numbers as Verilator's -G takes them; any other text is a string and is quoted.
_NUMBER = re.compile(
    r"[-+]?[0-9][0-9_]*(\.[0-9]+)?|[0-9_]*'[sS]?[bodhBODH][0-9a-fA-FxXzZ?_]+|'[01]"
)
_MANY = 1000  # Cells of one matrix.


def load_benches(path: Path) -> tuple[BenchSpec, ...]:
    """Return the benches of a bench.toml, or the `[[bench]]` tables of a payload.toml.

    Raises `InputError` with every mistake found, in the form of `load_payload`.
    """
    source = read_toml(path)
    findings = Findings(source)
    for name in source.values:
        if name not in PayloadFile.model_fields:
            findings.add((name,), "", f"unknown table {name!r}; {suggestion(name, ['bench'])}")
    if not source.values.get("bench"):
        findings.add(("bench",), "", "no [[bench]] table in this file")
    benches = draft_benches(source, path.parent, findings)
    findings.raise_if_any()
    return benches


def draft_benches(source: TomlSource, folder: Path, findings: Findings) -> tuple[BenchSpec, ...]:
    """Return the benches of `source`, whose paths are relative to `folder`; mistakes are added."""
    tables = source.values.get("bench", [])
    if not isinstance(tables, list):
        findings.add(("bench",), "", "'bench' is no list of tables; begin each with [[bench]]")
        return ()
    benches: dict[str, BenchSpec] = {}
    for index, values in enumerate(tables):
        name = values.get("name") if isinstance(values, dict) else None
        place = Place(("bench", index), f"bench {name or index + 1}", folder.absolute(), findings)
        table = validate_table(BenchTable, values, place.path, place.where, findings)
        for cell in _cells(table, place) if table else ():
            if cell.name in benches:
                place.add("name", "a bench before it has the same name")
                break
            benches[cell.name] = cell
    return tuple(benches.values())


def _cells(table: BenchTable, place: Place) -> Iterator[BenchSpec]:
    """Yield one bench per top and combination of parameter values, in the order of the file."""
    common = _common(table, place)
    listed = _filelists(table, place)
    axes = {name: [_literal(item) for item in items] for name, items in table.parameters.items()}
    cells = math.prod(len(axis) for axis in (table.top, *axes.values()))
    if cells > _MANY:
        place.add("parameters", f"{cells} combinations; at most {_MANY}")
        return
    for top, *values in itertools.product(table.top, *axes.values()):
        pairs = tuple(zip(axes, values, strict=True))
        shown = [f"top={top}"] if len(table.top) > 1 else []
        shown += [f"{name}={value}" for name, value in pairs if len(axes[name]) > 1]
        yield BenchSpec(
            name=f"{table.name}[{','.join(shown)}]" if shown else table.name,
            top=top,
            test_modules=tuple(table.modules),
            sources=listed.sources + common.sources,
            include_dirs=listed.include_dirs + common.include_dirs,
            defines=listed.defines + common.defines,
            parameters=listed.parameters + pairs,
            verilator_args=listed.verilator_args + common.verilator_args,
            waivers=listed.waivers + common.waivers,
            python_paths=existing(place, "python_paths", table.python_paths, folders=True)
            or (place.folder,),
            environment=tuple(table.environment.items()),
            lint=table.lint,
            timeout_s=table.timeout and table.timeout / 1e6,
        )


def _common(table: BenchTable, place: Place) -> FileList:
    if not table.sources and not table.filelists:
        message = "missing key 'sources'; for example sources = [\"rtl/*.sv\"]"
        place.findings.add(place.path, place.where, message)
    return FileList(
        sources=existing(place, "sources", table.sources),
        include_dirs=existing(place, "include_dirs", table.include_dirs, folders=True),
        defines=_macros(table.defines),
        verilator_args=tuple(table.verilator_args),
        waivers=existing(place, "waivers", table.waivers),
    )


def _filelists(table: BenchTable, place: Place) -> FileList:
    result = FileList()
    for path in existing(place, "filelists", table.filelists):
        try:
            result += read_filelist(path)
        except InputError as error:
            for mistake in str(error).splitlines():
                place.add("filelists", mistake)
    return result


def _macros(defines: Mapping[str, Scalar]) -> Pairs:
    """Return macros as text: true defines one as 1, false leaves it undefined."""
    return tuple(
        (name, "1" if value is True else str(value))
        for name, value in defines.items()
        if value is not False
    )


def _literal(value: Scalar) -> str:
    """Return a parameter's value as Verilator takes it after -G."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | Decimal) or _NUMBER.fullmatch(value) or value.startswith('"'):
        return str(value)
    return f'"{value}"'
