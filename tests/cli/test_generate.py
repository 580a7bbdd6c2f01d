# SPDX-License-Identifier: Apache-2.0
import shutil
from pathlib import Path

import pytest

from fw_tools.cli.main import fw_tools
from telemetry.common.command import run
from telemetry.common.exit_codes import ExitCode


@pytest.fixture
def spec(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(repository / "examples/compute_node/payload.toml", tmp_path))


def fw(*arguments: object) -> int:
    return run(fw_tools, "fw-tools", [str(argument) for argument in arguments])


def test_the_first_run_writes_and_the_second_says_that_nothing_changed(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert fw("generate", spec, "-o", out) == ExitCode.DONE
    assert "written  filelist.f" in capsys.readouterr().out
    assert (out / "rtl/compute_node_top.sv").exists()
    assert fw("generate", spec, "-o", out) == ExitCode.DONE
    assert capsys.readouterr().out.splitlines()[-1].endswith(", 0 changed")


def test_check_passes_on_what_generate_wrote(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fw("generate", spec, "-o", tmp_path / "out")
    assert fw("generate", spec, "-o", tmp_path / "out", "--check") == ExitCode.DONE
    assert capsys.readouterr().out.splitlines()[-1].endswith(", as described")


def test_check_names_every_file_that_differs_and_the_command_that_renews_it(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    fw("generate", spec, "-o", out)
    telemetry = out / "telemetry.py"
    telemetry.write_text(telemetry.read_text().replace('"uptime_s"', '"uptime"'))
    (out / "regs/compute_node_regs.h").unlink()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    capsys.readouterr()
    assert fw("generate", spec, "-o", out, "--check") == ExitCode.VERIFICATION
    message = capsys.readouterr().err
    assert f"{out}/regs/compute_node_regs.h: missing" in message
    assert f"{out}/telemetry.py: differs at line" in message
    assert f"to renew it: fw-tools generate {spec} -o {out}" in message
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}


def test_a_removed_memory_takes_its_files_away(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    fw("generate", spec, "-o", out)
    text = spec.read_text()
    start, end = text.index("[memory.command_store]"), text.index("# --- Rails")
    kept = [line for line in (text[:start] + text[end:]).splitlines() if "commands_" not in line]
    spec.write_text("\n".join(kept) + "\n")
    capsys.readouterr()
    assert fw("generate", spec, "-o", out) == ExitCode.DONE
    assert not (out / "rtl/compute_node_command_store.sv").exists()
    assert not (out / "rtl/hsiao_39_32_enc.sv").exists()


def test_a_folder_that_is_not_ours_is_refused(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fw("generate", spec, "-o", tmp_path) == ExitCode.INPUT
    assert "so it is not ours to write" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [spec.name]


def test_a_description_that_does_not_exist_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fw("generate", tmp_path / "none.toml", "-o", tmp_path / "out") == ExitCode.INPUT
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["breaker_mini", "compute_node"])
def test_the_checked_in_gateware_is_what_the_example_gives(name: str, repository: Path) -> None:
    example = repository / "examples" / name
    code = fw("generate", example / "payload.toml", "-o", example / "generated", "--check")
    assert code == ExitCode.DONE
