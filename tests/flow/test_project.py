# SPDX-License-Identifier: Apache-2.0
"""`fw-tools init`: new projects, and what is added to a tree of a user's own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from fw_tools.cli.main import fw_tools
from fw_tools.errors import InputError
from fw_tools.flow import project
from fw_tools.flow.project import complete_project, create_project
from fw_tools.spec.load import load_payload
from telemetry.common.command import run
from telemetry.common.errors import ReportedError

FILES = {
    *("payload.toml", "rtl/pulse_counter.sv", "bench/test_pulse_counter.py", "Makefile"),
    *("README.md", "requirements.txt", ".gitignore"),
    *(".github/workflows/verify.yml", ".gitlab-ci.yml"),
}


def files(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def test_a_new_project_holds_every_file_and_a_sound_description(tmp_path: Path) -> None:
    added = create_project(tmp_path / "Star Tracker-2")
    assert {file.path for file in added if file.is_added} == FILES
    assert files(tmp_path / "Star Tracker-2").keys() == FILES
    payload = load_payload(tmp_path / "Star Tracker-2" / "payload.toml")
    assert payload.name == "star_tracker_2"
    assert (len(payload.memories), len(payload.rails), len(payload.packets)) == (1, 3, 1)
    assert [bench.name for bench in payload.benches] == [
        "pulse_counter[Width=4]",
        "pulse_counter[Width=8]",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["Star Tracker-2"]


def test_the_files_of_a_new_project_are_whole(tmp_path: Path) -> None:
    create_project(tmp_path / "probe")
    texts = files(tmp_path / "probe")
    ast.parse(texts["bench/test_pulse_counter.py"])
    for text in texts.values():
        assert "{{" not in text
        assert text.endswith("\n")
    assert "\t$(FW_TOOLS) verify $(SPEC)" in texts["Makefile"]
    for forge in (".github/workflows/verify.yml", ".gitlab-ci.yml"):
        assert "make verify" in texts[forge]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("2nd", "p_2nd"),
        ("wire", "wire_0"),
        ("A.B", "a_b"),
        ("---", "payload"),
        ("x" * 60, "x" * 40),
    ],
)
def test_any_folder_name_gives_a_usable_payload_name(
    tmp_path: Path, folder: str, name: str
) -> None:
    create_project(tmp_path / folder)
    assert load_payload(tmp_path / folder / "payload.toml").name == name


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path) -> None:
    before = tmp_path.stat().st_ino
    create_project(tmp_path)
    assert files(tmp_path).keys() == FILES
    assert tmp_path.stat().st_ino == before


def test_a_folder_that_holds_anything_is_refused_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("x")
    assert run(fw_tools, "fw-tools", ["init", str(tmp_path)]) == 3
    assert f"`fw-tools init --existing {tmp_path}`" in capsys.readouterr().err
    assert files(tmp_path) == {"mine": "x"}


def test_the_end_tells_the_next_command_and_where_ci_expects_the_wheel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fw_tools, "fw-tools", ["init", str(tmp_path / "probe")]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"next:  fw-tools verify {tmp_path}/probe/payload.toml",
        "CI installs fw-tools from requirements.txt: put its wheel into ./wheels",
    ]
    assert "\n./wheels/fw_tools-" in (tmp_path / "probe/requirements.txt").read_text()


@pytest.mark.parametrize("name", ["file", "file/below", "dangling"])
def test_a_place_that_can_be_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(ReportedError, match=name):
        create_project(tmp_path / name)
    assert files(tmp_path) == {"file": "x"}


@pytest.mark.parametrize("exists", [True, False])
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    written = []

    def interrupted(path: Path, text: str) -> None:
        if len(written) == 4:
            raise KeyboardInterrupt
        written.append(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    monkeypatch.setattr(project, "write_text", interrupted)
    if exists:
        (tmp_path / "probe").mkdir()
    with pytest.raises(KeyboardInterrupt):
        create_project(tmp_path / "probe")
    assert len(written) == 4
    assert [path.name for path in tmp_path.iterdir()] == (["probe"] if exists else [])
    assert files(tmp_path) == {}


def test_existing_adds_what_is_missing_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "mine.sv").write_text("module mine; endmodule\n")
    (tmp_path / "Makefile").write_text("mine:\n")
    (tmp_path / "README.md").symlink_to("nowhere")
    assert run(fw_tools, "fw-tools", ["init", "--existing", str(tmp_path)]) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()[:-2]]
    assert {path for state, path in told if state == "kept"} == {"Makefile", "README.md"}
    assert {path for state, path in told if state == "added"} == FILES - {"Makefile", "README.md"}
    assert (tmp_path / "Makefile").read_text() == "mine:\n"
    assert (tmp_path / "README.md").readlink() == Path("nowhere")
    assert files(tmp_path).keys() == FILES - {"README.md"} | {"rtl/mine.sv"}
    load_payload(tmp_path / "payload.toml")


def test_existing_twice_keeps_everything(tmp_path: Path) -> None:
    complete_project(tmp_path)
    before = files(tmp_path)
    assert not any(file.is_added for file in complete_project(tmp_path))
    assert files(tmp_path) == before


def test_a_tree_with_its_own_description_gets_no_example_bench(tmp_path: Path) -> None:
    (tmp_path / "payload.toml").write_text("mine")
    complete_project(tmp_path)
    assert files(tmp_path).keys() == {
        path for path in FILES if not path.startswith(("rtl/", "bench/"))
    }
    assert (tmp_path / "payload.toml").read_text() == "mine"


def test_existing_wants_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without --existing a new one is made"):
        complete_project(tmp_path / "absent")


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fw_tools", "verify", "payload.toml", "-k", "pulse_counter"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_bench_of_a_new_project_passes_and_bites(tmp_path: Path) -> None:
    create_project(tmp_path / "probe")
    done = verify(tmp_path / "probe")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout  # Two tests at two widths.

    counter = tmp_path / "probe" / "rtl" / "pulse_counter.sv"
    counter.write_text(counter.read_text().replace(" && count_q != '1", ""))
    done = verify(tmp_path / "probe")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "the_highest_count_stays" in done.stdout
