# SPDX-License-Identifier: Apache-2.0
"""Each tag of hardening has its row in the list, and each row its tag."""

import re
from pathlib import Path

import pytest

from fw_tools.rtl.mitigations import (
    Mitigation,
    mitigations,
    mitigations_of,
    orphans,
    tags_in,
    tree,
)
from fw_tools.rtl.payload import render_payload
from fw_tools.spec.hardening import Harden
from fw_tools.spec.load import load_payload


def row(tag: str, cell: str) -> Mitigation:
    return Mitigation(tag=tag, cell=cell, harden=Harden.FSM, answers="A flip.")


def test_no_tag_of_the_tree_is_an_orphan_and_no_row(repository: Path) -> None:
    sources = tree()
    assert set(sources) >= {path.stem for path in (repository / "hdl/rtl").rglob("*.sv")}
    assert orphans(sources, mitigations()) == []
    assert {row.cell for row in mitigations()} <= set(sources)
    tagged = [tag for text in sources.values() for tag in tags_in(text)]
    assert sorted(tagged) == sorted(row.tag for row in mitigations())


def test_every_source_whose_tag_or_row_is_taken_away_is_found() -> None:
    sources = tree()
    for number, gone in enumerate(mitigations()):
        without = re.sub(rf"// SEU_MIT: {gone.tag}\n", "", sources[gone.cell])
        told = orphans({**sources, gone.cell: without}, mitigations())
        assert told == [f"mitigations.toml: {gone.tag}: {gone.cell} has no such tag"]
        rows = (*mitigations()[:number], *mitigations()[number + 1 :])
        told = orphans(sources, rows)
        assert told == [f"{gone.cell}: {gone.tag} has no row of this cell in mitigations.toml"] or (
            gone.cell not in {each.cell for each in rows} and len(told) == 1
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("// SEU_MIT: A.REG.TMR\n", []),
        ("  // SEU_MIT: A.REG.TMR\n", []),
        ("", ["mitigations.toml: A.REG.TMR: a has no such tag"]),
        (
            "// SEU_MIT: A.REG.TMR\n// SEU_MIT: B.REG.TMR\n",
            ["a: B.REG.TMR has no row of this cell in mitigations.toml"],
        ),
        (
            "// SEU_MIT: A.REG.TMR A.REG.CODE\n",
            [
                "a: 'A.REG.TMR A.REG.CODE' is no tag; right is INSTANCE.ASSET.TYPE, one a line",
                "mitigations.toml: A.REG.TMR: a has no such tag",
            ],
        ),
    ],
)
def test_an_orphan_is_told_on_either_side(text: str, told: list[str]) -> None:
    listed = (row("A.REG.TMR", "a"), row("B.REG.TMR", "b"))
    assert orphans({"a": text}, listed) == told


def test_a_generated_module_needs_a_row_for_each_tag() -> None:
    listed = (row("PACKET.CTR.ALWAYS_ENDS", "packetiser"),)
    assert orphans({"node_hk": "// SEU_MIT: PACKET.CTR.ALWAYS_ENDS\n"}, listed) == []
    assert orphans({"node_hk": "// SEU_MIT: PACKET.CTR.TMR\n"}, listed) != []


def test_a_payload_has_the_rows_of_its_sources(repository: Path) -> None:
    files = render_payload(load_payload(repository / "examples/breaker_mini/payload.toml"))
    sources = {file.path.stem: file.text for file in files if file.path.suffix == ".sv"}
    assert orphans(sources, mitigations()) == []
    tags = {each.tag for each in mitigations_of(sources)}
    assert "RAIL_CTRL.ENABLE.WITNESS" in tags
    assert not any(tag.startswith("ECC_RAM") for tag in tags)  # It has no memory.
