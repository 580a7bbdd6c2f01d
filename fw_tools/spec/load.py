# SPDX-License-Identifier: Apache-2.0
"""payload.toml to the frozen model, or to the list of all mistakes in it."""

from pathlib import Path

from fw_tools.spec.bench import draft_benches
from fw_tools.spec.build import (
    hardening,
    link_spec,
    memory_spec,
    packet_spec,
    rail_spec,
    upset_rates,
)
from fw_tools.spec.checks import check_across_tables
from fw_tools.spec.draft import Draft, draft_payload
from fw_tools.spec.hardening import SEQUENCER, Hardening
from fw_tools.spec.records import BenchSpec, Payload, UpsetRates
from fw_tools.spec.sources import known_sources
from fw_tools.spec.toml_source import read_toml


def load_payload(path: Path) -> Payload:
    """Return the payload that the file describes.

    Raises `InputError` with every mistake found, one per line in order of lines, as
    `payload.toml:14: rail v1p0: unknown key 'vots'; did you mean 'volts'?`. A TOML syntax error is
    reported alone.
    """
    draft = draft_payload(read_toml(path))
    check_across_tables(draft)
    benches = draft_benches(draft.source, path.parent, draft.findings)
    draft.findings.raise_if_any()
    return _payload(draft, benches)


def load_upset_rates(path: Path) -> UpsetRates | None:
    """Return how often radiation flips a bit of the payload, if the file says; no gateware has it.

    Raises `InputError` as `load_payload`, for mistakes in that table alone.
    """
    draft = draft_payload(read_toml(path))
    if draft.upset is None:
        draft.findings.raise_if_any()
        return None
    return upset_rates(draft.upset)


def _payload(draft: Draft, benches: tuple[BenchSpec, ...]) -> Payload:
    assert draft.board is not None
    bits = known_sources(draft.rails, draft.memories)
    return Payload(
        name=draft.board.name,
        clock_hz=draft.board.clock,
        profile=draft.board.profile,
        memories=tuple(memory_spec(name, table) for name, table in draft.memories.items() if table),
        rails=tuple(
            rail_spec(name, table, draft.on_upset) for name, table in draft.rails.items() if table
        ),
        packets=tuple(
            packet_spec(name, table, bits) for name, table in draft.packets.items() if table
        ),
        link=link_spec(draft.link) if draft.link else None,
        benches=benches,
        hardenings=_hardenings(draft),
    )


def _hardenings(draft: Draft) -> tuple[Hardening, ...]:
    assert draft.board is not None
    tables = {**({SEQUENCER: draft.sequencer} if draft.rails else {}), **draft.memories}
    return tuple(hardening(block, table, draft.board) for block, table in tables.items())
