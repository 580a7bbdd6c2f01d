# SPDX-License-Identifier: Apache-2.0
"""The README's commands run as they stand there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from click import Context

from fw_tools.cli.main import COMMANDS
from fw_tools.spec.load import load_payload
from telemetry.cli import cli


def sections(text: str) -> dict[str, str]:
    """Return the shell block of each `### ` section."""
    found = re.findall(r"^### (.+?)\n.*?```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def test_the_first_ten_minutes_run_from_top_to_bottom(repository: Path, tmp_path: Path) -> None:
    blocks = sections((repository / "README.md").read_text())
    assert list(blocks) == ["My bench", "My dump", "My payload", "My board"]
    assert [len(block.splitlines()) for block in blocks.values()] == [3, 3, 3, 4]
    shutil.copytree(
        repository / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("build")
    )
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(blocks.values())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"examples", "build", "my_payload"}
    written = {path.relative_to(tmp_path / "examples") for path in tmp_path.rglob("examples/**/*")}
    assert all((repository / "examples" / path).exists() for path in written)


PROMPT = "compute_node> "


def without_what_varies(text: str) -> list[str]:
    """Return the lines without times and counts of commands; the boot may come at any moment."""
    lines = [line for line in text.splitlines() if "TM[5,1]" not in line]
    return [re.sub(r"\d+\.\d+|command \d+", "#", line).strip() for line in lines]


def test_the_transcript_of_the_shell_is_what_it_says(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    (shown,) = re.findall(r"^\$ fw-tools (shell .+?)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    arguments, transcript = shown
    typed = [line for line in transcript.splitlines() if line.startswith(PROMPT)]
    done = subprocess.run(
        [sys.executable, "-m", "fw_tools", *arguments.split()],
        cwd=repository,
        input="\n".join(line.removeprefix(PROMPT) for line in typed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = "\n".join(line for line in transcript.splitlines() if line not in typed)
    assert without_what_varies(done.stdout) == without_what_varies(answers)


def fenced(repository: Path, opening: str) -> str:
    """Return the README's one block whose fence and first line begin like this."""
    text = (repository / "README.md").read_text()
    pattern = rf"^```{re.escape(opening)}.*?^```"
    (found,) = re.findall(pattern, text, re.MULTILINE | re.DOTALL)
    return str(found).partition("\n")[2].removesuffix("```")


def without_measured(text: str) -> list[str]:
    """Return the lines without times, speeds, digests and data of reports."""
    return [re.sub(r"\d+\.\d+|\b[0-9a-f]{16,}\b", "#", line) for line in text.splitlines()]


def test_a_twin_that_listens_is_a_board_for_every_command(tmp_path: Path, repository: Path) -> None:
    """With the board.toml that is shown; each command prints what is shown."""
    (tmp_path / "build").mkdir()
    shutil.copytree(repository / "examples", tmp_path / "examples")
    (tmp_path / "build" / "mini.toml").write_text(fenced(repository, "toml\n[board]"))
    fw_tools = [sys.executable, "-m", "fw_tools"]
    first, *listening = fenced(repository, "\n$ fw-tools twin").splitlines()
    with subprocess.Popen(
        [*fw_tools, *first.split()[2:]], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as twin:
        try:
            assert twin.stdout
            told = "".join(next(twin.stdout) for _ in listening)
            assert without_measured(told) == without_measured("\n".join(listening))
            talk = fenced(repository, "\n$ fw-tools set").split("$ fw-tools ")[1:]
            for command, shown in (each.split("\n", 1) for each in talk):
                done = subprocess.run(
                    [*fw_tools, *command.split()],
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stdout + done.stderr
                told = without_measured(done.stdout.replace(f"{tmp_path}/", ""))
                due = without_measured(shown)
                if command.startswith("monitor"):  # How much comes is up to how fast the twin is.
                    told, due = sorted(set(told)), sorted(set(due))
                assert told == due, command
        finally:
            twin.terminate()


def test_the_campaign_of_the_readme_ends_as_it_says(tmp_path: Path, repository: Path) -> None:
    """And the line that it prints, copied, does what is shown."""
    shutil.copytree(repository / "examples" / "own_bench", tmp_path / "examples" / "own_bench")
    for each in fenced(repository, "\n$ fw-tools upset").split("$ fw-tools ")[1:]:
        command, shown = each.split("\n", 1)
        done = subprocess.run(
            [sys.executable, "-m", "fw_tools", *shlex.split(command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"COLUMNS": "160"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told, due = (
            [re.sub(r"\(\d+ lanes\)", "", line).rstrip() for line in text.splitlines()]
            for text in (done.stdout, shown)
        )
        assert told == due, command


def test_the_board_of_the_readme_is_proven_as_it_says(tmp_path: Path, repository: Path) -> None:
    shutil.copytree(repository / "examples", tmp_path / "examples")
    (tmp_path / "boards" / "bench_3").mkdir(parents=True)
    text = fenced(repository, "toml\n# boards/bench_3/board.toml")
    (tmp_path / "boards" / "bench_3" / "board.toml").write_text(text)
    fw_tools = [sys.executable, "-m", "fw_tools"]
    command, *due = fenced(repository, "\n$ fw-tools boards check").splitlines()
    serve = ["twin", "examples/breaker_mini/payload.toml", "--rfc2217", "0"]
    with subprocess.Popen(
        [*fw_tools, *serve], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as twin:
        try:
            assert twin.stdout
            told = next(twin.stdout) + next(twin.stdout)
            url = told.split()[-1]
            words = [*command.split()[2:-1], url]
            done = subprocess.run(
                [*fw_tools, *words], cwd=tmp_path, capture_output=True, text=True, check=False
            )
        finally:
            twin.terminate()
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [line.rstrip().strip("─") for line in without_measured(done.stdout)]
    assert shown == [line.strip("─") for line in without_measured("\n".join(due))]


def test_the_table_of_the_line_is_one_that_a_payload_takes(
    tmp_path: Path, repository: Path
) -> None:
    spec = (repository / "examples" / "breaker_mini" / "payload.toml").read_text()
    table = fenced(repository, "toml\n[link]")
    (tmp_path / "payload.toml").write_text(re.sub(r"\[link\]\n[^\[#]*", lambda _: table, spec))
    link = load_payload(tmp_path / "payload.toml").link
    assert link is not None
    assert (link.baud_divisor, link.flash_octets, link.time_report_rate) == (16, 4 << 20, 3)


def test_every_command_is_in_the_readme(repository: Path) -> None:
    text = (repository / "README.md").read_text()
    rows = "".join(line for line in text.splitlines(True) if line.startswith("| `fw-"))
    ours = [name for name in COMMANDS if f"fw-tools {name}" not in rows]
    ground = [name for name in cli.list_commands(Context(cli)) if name not in rows]
    missing = ours + ground
    assert not missing, f"the README says nothing of {', '.join(missing)}"
