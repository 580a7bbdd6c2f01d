# SPDX-License-Identifier: Apache-2.0
"""The README's commands run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from click import Context

from fw_tools.cli.main import COMMANDS
from telemetry.cli import cli


def sections(text: str) -> dict[str, str]:
    """Return the shell block of each `### ` section."""
    found = re.findall(r"^### (.+?)\n.*?```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def test_the_first_ten_minutes_run_from_top_to_bottom(repository: Path, tmp_path: Path) -> None:
    blocks = sections((repository / "README.md").read_text())
    assert list(blocks) == ["My bench", "My dump", "My payload", "My board"]
    assert all(len(block.splitlines()) == 3 for block in blocks.values())
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


def test_every_command_is_in_the_readme(repository: Path) -> None:
    text = (repository / "README.md").read_text()
    rows = "".join(line for line in text.splitlines(True) if line.startswith("| `fw-"))
    ours = [name for name in COMMANDS if f"fw-tools {name}" not in rows]
    ground = [name for name in cli.list_commands(Context(cli)) if name not in rows]
    missing = ours + ground
    assert not missing, f"the README says nothing of {', '.join(missing)}"
