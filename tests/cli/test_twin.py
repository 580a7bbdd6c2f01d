# SPDX-License-Identifier: Apache-2.0
"""`fw-tools twin` as a user calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

PAYLOAD = """\
[board]
name = "silent"
clock = "12MHz"

[packet.housekeeping]
apid = 1
structure_id = 1
destination_id = 1
period = "1s"
fields = [{ name = "uptime_s", source = "time.seconds" }]
"""


def twin(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("fw-tools")
    return subprocess.run(
        [program, "twin", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_a_payload_without_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "payload.toml").write_text(PAYLOAD)
    done = twin(cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("payload.toml: no table [link]:")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pty", "--tcp", "0"], "--pty, --tcp and --rfc2217 exclude each other"),
        (["--tcp", "0", "--rfc2217", "0"], "--pty, --tcp and --rfc2217 exclude each other"),
        (["--bind", "0.0.0.0"], "--bind is for --tcp and --rfc2217"),
        (["--tcp", "65536"], "65536 is not in the range"),
        (["--baud-divisor", "3"], "3 is not in the range"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = twin(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_an_absent_description_is_named(tmp_path: Path) -> None:
    done = twin("none.toml", cwd=tmp_path)
    assert done.returncode == 3
    assert "none.toml: cannot be read" in done.stderr
