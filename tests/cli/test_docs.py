# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

import pytest

from fw_tools.cli.main import fw_tools
from telemetry.common.command import run
from telemetry.common.exit_codes import ExitCode


@pytest.fixture
def spec(repository: Path) -> Path:
    return repository / "examples/compute_node/payload.toml"


def fw(*arguments: object) -> int:
    return run(fw_tools, "fw-tools", [str(argument) for argument in arguments])


def test_the_index_names_every_register_packet_octet_and_rail(spec: Path, tmp_path: Path) -> None:
    assert fw("docs", spec, "-o", tmp_path / "docs") == ExitCode.DONE
    index = (tmp_path / "docs/index.html").read_text()
    for text in ("memory_weight_buffer.errors", "uptime_s", "v54_accel", "APID 66", "0x80"):
        assert text in index, text
    assert "<code>RAIL_CTRL.ENABLE.TMR</code>" in index
    assert "<code>sequencer</code> at <code>tmr</code>" in index
    assert (tmp_path / "docs/registers/index.html").exists()


def test_no_page_asks_for_anything_from_elsewhere(spec: Path, tmp_path: Path) -> None:
    fw("docs", spec, "-o", tmp_path / "docs")
    for page in (tmp_path / "docs").rglob("*.html"):
        assert not re.search(r"(src|href)=[\"']https?:", page.read_text()), page


def test_our_own_pages_are_renewed(spec: Path, tmp_path: Path) -> None:
    assert fw("docs", spec, "-o", tmp_path / "docs") == ExitCode.DONE
    (tmp_path / "docs/index.html").write_text("old")
    assert fw("docs", spec, "-o", tmp_path / "docs") == ExitCode.DONE
    assert "memory_weight_buffer" in (tmp_path / "docs/index.html").read_text()


def test_pages_that_are_not_ours_are_left_alone(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("mine")
    assert fw("docs", spec, "-o", tmp_path) == ExitCode.INPUT
    assert "so it is not ours to write" in capsys.readouterr().err
    assert (tmp_path / "index.html").read_text() == "mine"


def test_a_users_page_in_our_folder_is_left_alone(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/docs.json").write_text('["old.html"]')
    (tmp_path / "docs/index.html").write_text("mine")
    assert fw("docs", spec, "-o", tmp_path / "docs") == ExitCode.INPUT
    assert "index.html: exists but is not listed" in capsys.readouterr().err
    assert (tmp_path / "docs/index.html").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{}", '["../precious"]', '["/etc/precious"]'])
def test_a_damaged_list_of_pages_removes_nothing(text: str, spec: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/docs.json").write_text(text)
    assert fw("docs", spec, "-o", tmp_path / "docs") == ExitCode.INPUT
    assert (tmp_path / "precious").exists()
