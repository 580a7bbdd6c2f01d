# SPDX-License-Identifier: Apache-2.0
"""A description between text and records: each table checked by itself, mistakes collected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fw_tools.power.records import OnUpset
from fw_tools.spec import names
from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.profiles import Profile
from fw_tools.spec.schema import (
    BoardTable,
    LinkTable,
    MemoryTable,
    PacketTable,
    PayloadFile,
    RailTable,
    SequencerTable,
    Table,
    UpsetTable,
)
from fw_tools.spec.toml_source import TomlSource
from fw_tools.spec.validate import validate_table

_Table = TypeVar("_Table", bound=Table)


@dataclass(kw_only=True)
class Draft:
    """The tables of a payload.toml. A table with a mistake is None; its name still counts."""

    source: TomlSource
    findings: Findings
    board: BoardTable | None
    memories: dict[str, MemoryTable | None] = field(default_factory=dict)
    rails: dict[str, RailTable | None] = field(default_factory=dict)
    packets: dict[str, PacketTable | None] = field(default_factory=dict)
    link: LinkTable | None = None
    upset: UpsetTable | None = None
    sequencer: SequencerTable | None = None

    @property
    def on_upset(self) -> OnUpset:
        """The board's response to upsets, for rails that have none of their own."""
        return self.board.on_upset if self.board else OnUpset.CORRECT

    @property
    def profile(self) -> Profile:
        """How much gateware the payload may be."""
        return self.board.profile if self.board else Profile.FULL

    def raw(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the tables of one kind ("rail") as they stand in the file, unchecked."""
        tables = self.source.values.get(kind)
        if not isinstance(tables, Mapping):
            return {}
        return {name: table for name, table in tables.items() if isinstance(table, dict)}


def draft_payload(source: TomlSource) -> Draft:
    """Check every table by itself."""
    findings = Findings(source)
    _check_top_level(source, findings)
    return Draft(
        source=source,
        findings=findings,
        board=_table("board", BoardTable, source, findings),
        memories=_named_tables("memory", MemoryTable, source, findings),
        rails=_named_tables("rail", RailTable, source, findings),
        packets=_named_tables("packet", PacketTable, source, findings),
        link=_table("link", LinkTable, source, findings),
        upset=_table("upset", UpsetTable, source, findings),
        sequencer=_table("sequencer", SequencerTable, source, findings),
    )


def _check_top_level(source: TomlSource, findings: Findings) -> None:
    known = PayloadFile.model_fields
    for name in source.values:
        if name not in known:
            what = "table" if isinstance(source.values[name], dict | list) else "key"
            findings.add((name,), "", f"unknown {what} {name!r}; {suggestion(name, known)}")
    if "board" not in source.values:
        findings.add((), "", "missing table [board]")
    if source.values.get("packet", {}) == {}:
        findings.add(("packet",), "", "missing table [packet.housekeeping]")


def _table(name: str, model: type[_Table], source: TomlSource, findings: Findings) -> _Table | None:
    values = source.values.get(name)
    if values is None:
        return None
    return validate_table(model, values, (name,), name, findings)


def _named_tables(
    kind: str, model: type[_Table], source: TomlSource, findings: Findings
) -> dict[str, _Table | None]:
    tables = source.values.get(kind, {})
    if not isinstance(tables, dict):
        findings.add((kind,), "", f"{kind!r} is no table; begin each with [{kind}.NAME]")
        return {}
    checked = {}
    for name, values in tables.items():
        where = f"{kind} {name}"
        try:
            names.check_identifier(name)
        except ValueError as error:
            findings.add((kind, name), where, str(error))
        if isinstance(values, dict):
            checked[name] = validate_table(model, values, (kind, name), where, findings)
        else:
            findings.add(
                (kind, name), "", f"{name!r} stands in no table; begin one with [{kind}.NAME]"
            )
    return checked
