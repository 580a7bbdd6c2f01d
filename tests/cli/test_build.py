# SPDX-License-Identifier: Apache-2.0
"""`fw-tools build`: bitstreams from the command line, and what is refused."""

import json
from pathlib import Path

import pytest

from fw_tools.cli.main import fw_tools
from telemetry.common.command import run
from telemetry.common.exit_codes import ExitCode

MINI = "examples/breaker_mini/payload.toml"
NODE = "examples/compute_node/payload.toml"


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder with an empty cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FW_TOOLS_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def blinky(repository: Path) -> tuple[str, ...]:
    """Return the arguments of the example blinky on an iCEBreaker."""
    folder = repository / "examples/blinky"
    pins = str(folder / "icebreaker.pcf")
    return (str(folder / "blinky.sv"), "--top", "blinky", "--pins", pins)


def build(*arguments: str) -> int:
    return run(fw_tools, "fw-tools", ("build", *arguments))


def board_file(folder: Path, repository: Path, **changes: str) -> Path:
    """Write the iCEBreaker's file with keys changed, beside its sources."""
    shipped = repository / "hdl/boards/icebreaker"
    own = folder / "boards/mine"
    own.mkdir(parents=True)
    for path in shipped.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    text = (own / "board.toml").read_text()
    for key, value in changes.items():
        lines = [
            f"{key} = {value}" if line.startswith(f"{key} =") else line for line in text.split("\n")
        ]
        text = "\n".join(lines)
    (own / "board.toml").write_text(text)
    return own / "board.toml"


def test_a_design_of_ones_own_becomes_a_bitstream_with_its_figures(
    blinky: tuple[str, ...], work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(*blinky, "--board", "icebreaker") == ExitCode.DONE
    shown = capsys.readouterr().out
    assert "blinky on icebreaker, iCE40UP5K-SG48: 104,090 octets" in shown
    assert "24" in shown.split("flip-flops")[1].split("\n")[0]
    folder = work / "build/icebreaker/blinky"
    assert {path.name for path in folder.iterdir()} == {"blinky.bin", "build.json"}
    record = json.loads((folder / "build.json").read_text())
    assert record["flip_flops"] == 24
    assert record["octets"] == (folder / "blinky.bin").stat().st_size


def test_an_unchanged_design_comes_from_the_cache_and_a_changed_one_does_not(
    blinky: tuple[str, ...], work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = work / "blinky.sv"
    own.write_text(Path(blinky[0]).read_text())
    arguments = (str(own), *blinky[1:], "--board", "icebreaker")
    written = work / "build/icebreaker/blinky/blinky.bin"
    assert build(*arguments) == ExitCode.DONE
    first = written.read_bytes()
    assert "from the cache" not in capsys.readouterr().out
    assert build(*arguments) == ExitCode.DONE
    assert "from the cache" in capsys.readouterr().out
    assert written.read_bytes() == first
    own.write_text(own.read_text().replace("count_q[23]", "count_q[22]"))
    assert build(*arguments) == ExitCode.DONE
    assert "from the cache" not in capsys.readouterr().out
    assert written.read_bytes() != first


def test_golden_and_new_bitstream_become_one_flash_image(
    blinky: tuple[str, ...], work: Path
) -> None:
    assert build(*blinky, "--board", "icebreaker", "-o", "first") == ExitCode.DONE
    golden = "first/blinky.bin"
    assert build(*blinky, "--board", "icebreaker", "--golden", golden, "-o", "two") == ExitCode.DONE
    bits = (work / golden).read_bytes()
    assert (work / "two/blinky.flash").read_bytes().count(bits) == 2


def test_a_missed_clock_leaves_the_figures_and_no_bitstream(
    blinky: tuple[str, ...], work: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board_file(work, repository, clock='"480MHz"')
    assert build(*blinky, "--board", "mine", "-o", "out") == ExitCode.VERIFICATION
    told = capsys.readouterr()
    assert "below 480 MHz: no bitstream is written" in told.err
    assert "missed" in told.out
    assert [path.name for path in (work / "out").iterdir()] == ["build.json"]
    assert not json.loads((work / "out/build.json").read_text())["is_in_time"]


def test_the_small_example_fits_an_icebreaker_and_tells_its_link(
    repository: Path, work: Path
) -> None:
    assert build(str(repository / MINI), "--board", "icebreaker", "-o", "out") == ExitCode.DONE
    record = json.loads((work / "out/build.json").read_text())
    assert record["logic_cells"] <= 0.9 * record["logic_cells_available"]
    assert record["fmax_mhz"] >= 12
    sources = {step["source"].partition(":")[0] for step in record["slowest_path"]}
    assert {name.rpartition(".")[2] for name in sources} == {"sv"}
    link = json.loads((work / "out/link.json").read_text())
    assert (link["clock_hz"], link["baud_divisor"]) == (12_000_000, 16)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((MINI, "--board", "ulx3"), ExitCode.USAGE, "did you mean 'ulx3s'?"),
        ((NODE, "--board", "icebreaker"), ExitCode.INPUT, "takes payloads of profile small;"),
        ((MINI, MINI, "--board", "ulx3s"), ExitCode.USAGE, "give --top TOP too"),
        ((MINI, "--pins", "x", "--board", "ulx3s"), ExitCode.USAGE, "give --top TOP too"),
        (("none.sv", "--top", "t", "--board", "ulx3s"), ExitCode.INPUT, "none.sv: no such file"),
        (("none.toml", "--board", "ulx3s"), ExitCode.INPUT, "none.toml"),
        ((MINI, "--board", "tangnano9k", "--golden", "x"), ExitCode.INPUT, "no flash image of two"),
    ],
)
def test_what_cannot_be_built_is_told_at_once(
    arguments: tuple[str, ...],
    code: ExitCode,
    message: str,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    examples = [str(repository / each) if "examples" in each else each for each in arguments]
    assert build(*examples) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"part": '"iCE40HX1K"'}, "unknown part 'iCE40HX1K'; there are: iCE40UP5K-SG48"),
        ({"rails": "2"}, "board icebreaker has pins for 2 rails; breaker_mini has 4"),
        ({"clock": '"5MHz"'}, "cannot have a line of 750,000 baud"),
        ({"pins": '"none.pcf"'}, "no such file"),
    ],
)
def test_a_board_that_is_not_for_the_payload_says_why(
    changes: dict[str, str],
    message: str,
    repository: Path,
    work: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board_file(work, repository, **changes)
    assert build(str(repository / MINI), "--board", "mine") == ExitCode.INPUT
    assert message in capsys.readouterr().err
    assert not (work / "build").exists()


def test_a_golden_that_cannot_be_used_leaves_nothing_written(
    blinky: tuple[str, ...], work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "text.bin").write_text("no bitstream")
    for golden, message in (
        ("text.bin", "text.bin: no bitstream for iCE40UP5K"),
        ("none.bin", "cannot be read"),
    ):
        arguments = ("--board", "icebreaker", "--golden", golden, "-o", "out")
        assert build(*blinky, *arguments) == ExitCode.INPUT
        assert message in capsys.readouterr().err
        assert not (work / "out").exists()


def test_a_syntax_error_is_told_with_its_line(
    blinky: tuple[str, ...], work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "bad.sv").write_text("module blinky (input clk, output led)\nendmodule\n")
    arguments = ("bad.sv", *blinky[1:], "--board", "icebreaker")
    assert build(*arguments) == ExitCode.INPUT
    assert "bad.sv:1:" in capsys.readouterr().err
