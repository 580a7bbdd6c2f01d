# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path, PurePosixPath

import pytest

from fw_tools.errors import InputError
from fw_tools.rtl.emit import MANIFEST, GeneratedFile, differences, emit

DIGEST = "0123456789abcdef" * 4


def files(**texts: str) -> list[GeneratedFile]:
    return [GeneratedFile(PurePosixPath(f"rtl/{name}.sv"), text) for name, text in texts.items()]


def test_files_and_their_list_are_written_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    changed = emit(files(a="one\n", b="two\n"), tmp_path / "out", DIGEST)
    assert changed == ("rtl/a.sv", "rtl/b.sv", MANIFEST)
    assert (tmp_path / "out/rtl/a.sv").read_text() == "one\n"
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["model"] == DIGEST
    assert emit(files(a="one\n", b="two\n"), tmp_path / "out", DIGEST) == ()


def test_a_file_that_is_no_longer_generated_is_removed(tmp_path: Path) -> None:
    emit(files(a="one\n", b="two\n"), tmp_path / "out", DIGEST)
    changed = emit(files(a="one\n"), tmp_path / "out", DIGEST)
    assert changed == (MANIFEST, "rtl/b.sv")
    assert not (tmp_path / "out/rtl/b.sv").exists()


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    with pytest.raises(InputError, match="not ours to write"):
        emit(files(a="one\n"), tmp_path, DIGEST)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine\n")
    with pytest.raises(InputError, match="is a file, not a folder"):
        emit(files(a="one\n"), tmp_path / "out", DIGEST)


def test_a_users_file_with_a_generated_name_is_left_alone(tmp_path: Path) -> None:
    emit(files(a="one\n"), tmp_path / "out", DIGEST)
    (tmp_path / "out/rtl/b.sv").write_text("mine\n")
    with pytest.raises(InputError, match=r"rtl/b\.sv: exists but is not listed"):
        emit(files(a="changed\n", b="two\n"), tmp_path / "out", DIGEST)
    assert (tmp_path / "out/rtl/b.sv").read_text() == "mine\n"
    assert (tmp_path / "out/rtl/a.sv").read_text() == "one\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}'])
def test_a_damaged_list_of_files_is_named(text: str, tmp_path: Path) -> None:
    emit(files(a="one\n"), tmp_path / "out", DIGEST)
    (tmp_path / "out" / MANIFEST).write_text(text)
    with pytest.raises(InputError, match="not a list of generated files"):
        emit(files(a="one\n"), tmp_path / "out", DIGEST)


@pytest.mark.parametrize("path", ["../precious", "/etc/precious"])
def test_a_list_that_points_out_of_its_folder_removes_nothing(path: str, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine\n")
    emit(files(a="one\n"), tmp_path / "out", DIGEST)
    (tmp_path / "out" / MANIFEST).write_text(json.dumps({"files": {path: ""}}))
    with pytest.raises(InputError, match="names a file outside its folder"):
        emit(files(a="one\n"), tmp_path / "out", DIGEST)
    assert (tmp_path / "precious").exists()


def test_check_mode_names_what_is_missing_different_or_left_over(tmp_path: Path) -> None:
    emit(files(a="one\ntwo\n", b="two\n", c="three\n"), tmp_path / "out", DIGEST)
    (tmp_path / "out/rtl/a.sv").write_text("one\nTWO\n")
    (tmp_path / "out/rtl/b.sv").unlink()
    found = differences(files(a="one\ntwo\n", b="two\n"), tmp_path / "out", DIGEST)
    assert found[0] == "rtl/a.sv: differs at line 2"
    assert found[1] == "rtl/b.sv: missing"
    assert found[-1] == "rtl/c.sv: no longer generated"


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    assert differences(files(a="one\n"), tmp_path / "out", DIGEST)
    assert not (tmp_path / "out").exists()
