# SPDX-License-Identifier: Apache-2.0
"""`fw-tools check` and `fw-tools schema`: what they print and how they exit."""

import json
from pathlib import Path

import pytest

from fw_tools.cli.main import fw_tools
from telemetry.common.command import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "compute_node" / "payload.toml"


def test_check_shows_what_a_sound_description_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fw_tools, "fw-tools", ["check", str(EXAMPLE)]) == 0
    # Code sizes: 8 check bits for 64, 7 for 32 (Hsiao 1970); 1024 x 10 us and 256 x 40 us.
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "compute_node: no mistakes",
        "  clock    40 MHz",
        "  memory   weight_buffer: 1024 x 64 bits, hsiao (72,64), scrubbed every 10.24 ms",
        "  memory   command_store: 256 x 32 bits, hsiao (39,32), scrubbed every 10.24 ms",
        "  rails    8, in this order:",
        "    1. v28_bus",
        "    2. v5_aux, v12_ibc",
        "    3. v1p5_pmc",
        "    4. v0p80_soc",
        "    5. v0p80_core",
        "    6. v1p1_ddr, v54_accel",
        "    kept alive: v28_bus, v5_aux",
        "  packet   housekeeping: APID 66, 16 fields, 52 octets every 1 s",
    ]


def test_check_names_every_mistake_under_the_path_as_given_and_exits_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = EXAMPLE.read_text().replace('"28V"', '"28A"').replace("data_bits = 32", "data_bits = 3")
    (tmp_path / "payload.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert run(fw_tools, "fw-tools", ["check", "./payload.toml"]) == 3
    assert capsys.readouterr().err.splitlines() == [
        "payload.toml:19: memory command_store: data_bits: 3 is out of range 4..256",
        (
            "payload.toml:36: rail v28_bus: volts: '28A' is a current; expected a voltage such as "
            "'1.05V'"
        ),
    ]


def test_schema_goes_to_standard_output_or_to_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fw_tools, "fw-tools", ["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["$schema"].startswith("https://json-schema.org/")
    assert run(fw_tools, "fw-tools", ["schema", "-o", str(tmp_path / "new" / "s.json")]) == 0
    assert (tmp_path / "new" / "s.json").read_text() == printed
