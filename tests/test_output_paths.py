# SPDX-License-Identifier: Apache-2.0
"""An output that cannot be written is named with the reason; both commands, every option."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fw_tools.cli.main import fw_tools
from telemetry.cli import cli
from telemetry.common.command import run
from telemetry.common.exit_codes import ExitCode

SPEC = "payload.toml"
BENCH = ("--top", "fifo", "-m", "test_fifo", "fifo.sv")
PACKET = ("--definition", "mission.py:PACKET")
DECODE = ("decode", "dump.bin", *PACKET)
STATS = ("stats", "dump.bin", *PACKET)
PLOT = ("plot", "dump.bin", "number", *PACKET)
REPORT = ("report", "dump.bin", *PACKET)
BUILD = ("build", *PACKET, "--apid", "66", "--json", "values.jsonl")


@pytest.fixture(autouse=True)
def work(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with inputs for every command, a file `afile` and folders with a suffix."""
    monkeypatch.chdir(tmp_path)
    for path in (f"compute_node/{SPEC}", "own_bench/fifo.sv", "own_bench/test_fifo.py"):
        source = repository / "examples" / path
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "mission.py").write_text(
        "from construct import *\nPACKET = Struct('number' / Int16ub)\n"
    )
    # Version 0, telemetry, APID 66, unsegmented, data field of 2 octets: CCSDS 133.0-B 4.1.3.
    packets = (bytes((0, 66, 0xC0, count, 0, 1, 0, count)) for count in range(64))
    (tmp_path / "dump.bin").write_bytes(b"".join(packets))
    rows = (f'{{"number": {number}}}\n' for number in range(64))
    (tmp_path / "values.jsonl").write_text("".join(rows))
    (tmp_path / "afile").write_text("a file\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.html").mkdir()
    return tmp_path


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file grow beyond 64 octets; the system's answer is that of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def ground(*arguments: str) -> int:
    return run(cli, "fw-telemetry", arguments)


def board(*arguments: str) -> int:
    return run(fw_tools, "fw-tools", arguments)


@pytest.mark.parametrize(
    ("command", "path", "reason"),
    [
        (("generate", SPEC, "-o"), "afile/sub", "Not a directory"),
        (("generate", SPEC, "-o"), "/proc/foo", "No such file or directory"),
        (("generate", SPEC, "-o"), "x" * 300, "File name too long"),
        (("docs", SPEC, "-o"), "afile/sub", "Not a directory"),
        (("docs", SPEC, "-o"), "/proc/foo", "No such file or directory"),
        (("verify", SPEC, "-o"), "afile/sub", "Not a directory"),
        (("verify", SPEC, "-o"), "/proc/foo", "No such file or directory"),
        (("bench", *BENCH, "-o"), "afile/sub", "Not a directory"),
        (("bench", *BENCH, "-o"), "/proc/foo", "No such file or directory"),
        (("build", SPEC, "--board", "ulx3s", "-o"), "afile/sub", "Not a directory"),
        (("build", SPEC, "--board", "ulx3s", "-o"), "/proc/foo", "No such file or directory"),
        (("ecc", "emit", "--data-bits", "8", "-o"), "afile/sub", "Not a directory"),
        (("ecc", "emit", "--data-bits", "8", "-o"), "/proc/foo", "No such file or directory"),
        (("init",), "afile/sub", "Not a directory"),
        (("schema", "-o"), "/proc/foo", "No such file or directory"),
    ],
)
def test_the_firmware_tools_name_the_path_and_the_reason(
    command: tuple[str, ...], path: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert board(*command, path) == ExitCode.INPUT
    message = capsys.readouterr().err
    assert message in (
        f"{path}: cannot be written: {reason}\n",
        f"{Path(path).absolute()}: cannot be written: {reason}\n",
    )


def test_a_file_in_the_place_of_a_folder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert board("schema", "-o", "afile/s.json") == ExitCode.INPUT
    assert capsys.readouterr().err == "afile: cannot be written: Not a directory\n"
    assert Path("afile").read_text() == "a file\n"


@pytest.mark.parametrize(
    ("command", "path", "code", "message"),
    [
        ((*DECODE, "-o"), "/proc/foo.csv", 3, "foo.csv: cannot be written: No such"),
        ((*DECODE, "-o"), "afile/sub.csv", 2, "there is no folder afile"),
        ((*DECODE, "-o"), "folder.csv", 2, "this is a folder"),
        ((*DECODE, "--summary"), "folder.csv", 2, "--summary folder.csv: this is a folder"),
        ((*DECODE, "--summary"), "dump.bin", 2, "--summary dump.bin: this is the dump"),
        ((*DECODE, "--summary"), "/proc/foo", 3, "/proc/foo: cannot be written: No such file"),
        ((*DECODE, "--summary"), "afile/sub", 2, "there is no folder afile"),
        (("packets", "dump.bin", "-o"), "/proc/foo.csv", 3, "foo.csv: cannot be written: No such"),
        (("packets", "dump.bin", "-o"), "afile/sub.csv", 2, "there is no folder afile"),
        (("init", "dump.bin", "-o"), "/proc/foo.py", 3, "foo.py: cannot be written: No such file"),
        (("init", "dump.bin", "-o"), "afile/sub.py", 2, "there is no folder afile"),
        ((*STATS, "--json"), "/proc/foo", 3, "/proc/foo: cannot be written: No such file"),
        ((*STATS, "--json"), "afile/sub", 2, "there is no folder afile"),
        ((*STATS, "--json"), "folder.csv", 2, "--json folder.csv: this is a folder"),
        ((*PLOT, "-o"), "/proc/foo.html", 3, "foo.html: cannot be written: No such file"),
        ((*PLOT, "-o"), "afile/sub.html", 2, "there is no folder afile"),
        ((*PLOT, "-o"), "folder.html", 2, "-o folder.html: this is a folder"),
        ((*REPORT, "-o"), "/proc/foo.html", 3, "foo.html: cannot be written: No such file"),
        ((*REPORT, "-o"), "afile/sub.html", 2, "there is no folder afile"),
        ((*REPORT, "-o"), "folder.html", 2, "-o folder.html: this is a folder"),
        ((*BUILD, "-o"), "/proc/foo.bin", 3, "foo.bin: cannot be written: No such file"),
        ((*BUILD, "-o"), "afile/sub.bin", 2, "there is no folder afile"),
        ((*BUILD, "-o"), "folder.csv", 2, "-o folder.csv: this is a folder"),
        ((*BUILD, "-o"), "values.jsonl", 2, "-o values.jsonl: this is the file of the values"),
    ],
)
def test_the_ground_names_the_path_and_the_reason(
    command: tuple[str, ...],
    path: str,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ground(*command, path) == code
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize(
    "command",
    [
        lambda: board("generate", SPEC, "-o", "out"),
        lambda: board("docs", SPEC, "-o", "out"),
        lambda: board("verify", SPEC, "-o", "out"),
        lambda: board("bench", *BENCH, "-o", "out"),
        lambda: board("schema", "-o", "out.json"),
        lambda: board("ecc", "emit", "--data-bits", "8", "-o", "out"),
        lambda: board("init", "probe"),
        lambda: ground("packets", "dump.bin", "-o", "out.csv"),
        lambda: ground("init", "dump.bin", "-o", "out.py"),
        lambda: ground(*DECODE, "--summary", "out.json"),
        lambda: ground(*STATS, "--json", "out.json"),
        lambda: ground(*PLOT, "-o", "out.html"),
        lambda: ground(*REPORT, "-o", "out.html"),
        lambda: ground(*BUILD, "-o", "out.bin"),
    ],
)
def test_a_full_disk_is_named_and_leaves_nothing_half_written(
    command: Callable[[], int], work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(work.rglob("*"))
    assert command() == ExitCode.INPUT
    told = capsys.readouterr().err
    assert "cannot be written: File too large" in told
    assert "Traceback" not in told
    new = {path.name for path in set(work.rglob("*")) - before if path.is_file()}
    assert new <= {".fw-tools-output", "build.log"}  # A marker, and a log as it grew.
