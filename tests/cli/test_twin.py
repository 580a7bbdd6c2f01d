# SPDX-License-Identifier: Apache-2.0
"""`fw-tools twin` as a user calls it."""

import socket
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
        (["--flash-time", "nan"], "'nan' is no finite number"),
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


def test_what_the_payload_has_not_is_a_mistake_in_the_arguments(
    repository: Path, tmp_path: Path
) -> None:
    spec = str(repository / "examples" / "breaker_mini" / "payload.toml")
    done = twin(spec, "--flash", "board.bin", cwd=tmp_path)
    assert done.returncode == 2
    assert "--flash: breaker_mini has no flash;" in done.stderr
    assert not (tmp_path / "board.bin").exists()
    done = twin(spec, "--trace-on", "rail:v3p3_i", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("--trace-on rail:v3p3_i: no rail 'v3p3_i'; did you mean")


def test_an_address_nobody_can_listen_on_is_told(repository: Path, tmp_path: Path) -> None:
    spec = str(repository / "examples" / "breaker_mini" / "payload.toml")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = twin(spec, "--tcp", port, cwd=tmp_path)
    assert done.returncode == 3
    said = "somebody listens there already; name another port, or 0 for a free one"
    assert f"127.0.0.1:{port}: {said}" in done.stderr
    done = twin(spec, "--tcp", "0", "--bind", "192.0.2.1", cwd=tmp_path)  # RFC 5737: nobody's.
    assert done.returncode == 3
    assert "192.0.2.1:0: this machine has no such address" in done.stderr
