# SPDX-License-Identifier: Apache-2.0
"""`fw-tools ecc`: what it shows, what it writes, what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fw_tools.rtl.codec import render_codec


def ecc(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("fw-tools"), "ecc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# XOR2 and depth of plain trees: OpenTitan's (72,64) Hsiao has the same row weights.
def test_show_as_json_holds_the_published_numbers_of_72_64() -> None:
    facts = json.loads(ecc("show", "--code", "hsiao", "--data-bits", "64", "--json").stdout)
    assert (facts["codeword_bits"], facts["check_bits"], facts["minimum_distance"]) == (72, 8, 4)
    assert facts["ones"] == sum(facts["column_weights"]) == sum(facts["row_weights"]) == 216
    assert facts["encoder"] == {"xor2": 200, "depth": 5}
    assert facts["syndrome"] == {"xor2": 208, "depth": 5}
    rows = [int(mask, 16) for mask in facts["row_masks"]]
    columns = [sum((row >> i & 1) << j for j, row in enumerate(rows)) for i in range(72)]
    assert columns == facts["columns"]


def test_show_names_what_an_encoder_of_any_code_takes_when_it_shares() -> None:
    facts = json.loads(ecc("show", "--code", "dec-ted", "--data-bits", "32", "--json").stdout)
    assert (facts["codeword_bits"], facts["minimum_distance"]) == (45, 6)
    assert facts["encoder_shared"] == {"xor2": 108, "depth": 5}
    assert (
        "  shared        64 XOR2, depth 4"
        in ecc("show", "--code", "secded", "--data-bits", "32").stdout
    )


def test_emit_writes_any_code(tmp_path: Path) -> None:
    done = ecc("emit", "--code", "dec-ted", "--data-bits", "8", "-o", str(tmp_path / "codec"))
    assert done.returncode == 0
    assert [path.name for path in sorted((tmp_path / "codec").glob("*.sv"))] == [
        "dec_ted_19_8_dec.sv",
        "dec_ted_19_8_enc.sv",
    ]


def test_a_width_that_a_code_has_not_is_told_with_those_it_has() -> None:
    done = ecc("show", "--data-bits", "300")
    assert done.returncode == 3
    assert "300 data bits; must be 4 to 256" in done.stderr


def test_show_prints_the_matrix_of_8_4_as_worked_by_hand() -> None:
    shown = ecc("show", "--data-bits", "4").stdout
    matrix = [line.split()[1] for line in shown.splitlines() if " weight 4" in line]
    # Check j, bit 7 on the left: the identity, then all data bits but one.
    assert matrix == ["...1.111", "..1.1.11", ".1..11.1", "1...111."]
    assert "4 of weight 1, 4 of weight 3" in shown
    assert "8 XOR2, depth 2" in shown


def test_emit_writes_the_pair_and_leaves_it_alone_the_second_time(tmp_path: Path) -> None:
    first = ecc("emit", "--data-bits", "32", "-o", str(tmp_path / "codec"))
    second = ecc("emit", "--data-bits", "32", "-o", str(tmp_path / "codec"))
    assert (first.returncode, second.returncode) == (0, 0)
    assert (first.stdout.count("written"), second.stdout.count("unchanged")) == (2, 2)
    for file in render_codec(32):
        assert (tmp_path / "codec" / file.path.name).read_text() == file.text


def test_emit_refuses_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.sv").write_text("module mine; endmodule\n")
    done = ecc("emit", "--data-bits", "8", "-o", str(tmp_path))
    assert done.returncode == 3
    assert "not ours to write" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.sv"]


@pytest.mark.parametrize("arguments", [("--data-bits", "3"), ("--data-bits", "1025"), ()])
def test_a_width_out_of_range_or_absent_is_a_wrong_argument(arguments: tuple[str, ...]) -> None:
    done = ecc("show", *arguments)
    assert done.returncode == 2
    assert "--data-bits" in done.stderr
    assert "Traceback" not in done.stderr
