# SPDX-License-Identifier: Apache-2.0
"""The text of generated encoders and decoders."""

import re
import subprocess
from pathlib import Path

import pytest

from fw_tools.ecc import hsiao
from fw_tools.rtl.codec import render_codec
from fw_tools.rtl.render import FREE_USE
from fw_tools.toolchain import verilator_environment


def test_the_8_4_pair_is_as_worked_by_hand() -> None:
    # Columns 0111, 1011, 1101, 1110: each check leaves out one data bit.
    encoder, decoder = (file.text for file in render_codec(4))
    assert re.findall(r"codeword_o\[(\d)\] = \^\(data_i & 4'h(.)\)", encoder) == [
        ("4", "7"),
        ("5", "b"),
        ("6", "d"),
        ("7", "e"),
    ]
    assert re.findall(r"\^\(codeword_i & 8'h(..)\)", decoder) == ["17", "2b", "4d", "8e"]
    assert re.findall(r"syndrome == 4'h(.)", decoder) == list("7bde1248")


def test_every_width_renders_the_same_text_twice_with_its_terms_and_without_trailing_blanks() -> (
    None
):
    for k in range(4, 257):
        files = render_codec(k)
        assert files == render_codec(k), k
        for file in files:
            assert FREE_USE in file.text, k
            assert not re.search(r"[ \t]$|\r", file.text, re.MULTILINE), (k, file.path)
            assert file.text.endswith("endmodule\n"), k


def test_modules_are_named_after_codeword_and_data_bits_one_a_file() -> None:
    for file, kind in zip(render_codec(64), ("enc", "dec"), strict=True):
        assert file.path.as_posix() == f"rtl/hsiao_72_64_{kind}.sv"
        assert re.findall(r"^module (\w+)", file.text, re.MULTILINE) == [f"hsiao_72_64_{kind}"]


def test_the_decoder_never_judges_a_syndrome_by_its_parity() -> None:
    for k in (8, 32, 64):
        decoder = render_codec(k)[1].text
        assert "^syndrome" not in decoder
        assert decoder.count("syndrome == ") == hsiao(k).codeword_bits


@pytest.mark.parametrize("k", [4, 8, 32, 57, 64, 128, 256])
def test_verilator_wall_is_quiet(k: int, tmp_path: Path) -> None:
    for file in render_codec(k):
        path = tmp_path / file.path.name
        path.write_text(file.text)
        command = ["verilator_bin", "--lint-only", "-Wall", str(path)]
        run = subprocess.run(
            command, env=verilator_environment(), capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, ""), run.stderr
