# SPDX-License-Identifier: Apache-2.0
"""Nobody ever sees half a file."""

import os
import stat

import pytest

from telemetry.common.files import PendingFile, write_atomically, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "new" / "out.txt"
    with write_atomically(path) as stream:
        stream.write("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == ["out.txt"]


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_block_leaves_the_old_file_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def write_half():
        with write_atomically(path) as stream:
            stream.write("half")
            raise interruption

    with pytest.raises(interruption):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out.txt"]


def test_text_is_utf_8_with_newlines_as_given(tmp_path):
    write_text(tmp_path / "out.txt", "µs\r\nline\n")
    assert (tmp_path / "out.txt").read_bytes() == b"\xc2\xb5s\r\nline\n"


def test_octets_can_be_written(tmp_path):
    with write_atomically(tmp_path / "out.bin", "wb") as stream:
        stream.write(b"\0\xff")
    assert (tmp_path / "out.bin").read_bytes() == b"\0\xff"


def test_the_file_has_the_permissions_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "out.txt", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o640


def test_a_pending_file_without_a_commit_vanishes(tmp_path):
    with PendingFile(tmp_path, "out") as pending:
        pending.stream.write("x")
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == []


def test_a_committed_file_stays_when_discarded(tmp_path):
    with PendingFile(tmp_path, "out") as pending:
        pending.stream.write("x")
        pending.commit(tmp_path / "final")
    assert names(tmp_path) == ["final"]
