# SPDX-License-Identifier: Apache-2.0
"""flashrom takes the twin's flash for the part that it is, and programs it."""

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serprog import OCTETS, Flash, served

pytestmark = pytest.mark.flashrom

TIME_SCALE = 0.01  # Whole sectors still take longer than a look at the status.
SEED = 1
Flashrom = Callable[..., str]


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[Flash]:
    model = Flash(tmp_path, TIME_SCALE)
    yield model
    model.close()


@pytest.fixture
def flashrom(flash: Flash, flashrom_path: str, tmp_path: Path) -> Iterator[Flashrom]:
    with served(flash) as programmer:

        def run(*arguments: str | Path) -> str:
            command = [flashrom_path, "-p", programmer, *map(str, arguments)]
            done = subprocess.run(
                command, cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert "another erase function" not in done.stdout, "one did not erase"
            return done.stdout

        yield run


def test_flashrom_finds_the_part(flashrom: Flashrom) -> None:
    told = flashrom("--flash-name")
    assert 'vendor="Winbond" name="W25Q32.V"' in told
    assert "4194304" in flashrom("--flash-size")


def test_flashrom_writes_verifies_reads_and_erases(
    flash: Flash, flashrom: Flashrom, tmp_path: Path
) -> None:
    """An image over an erased part, another over that one, erased where needed."""
    image, back = tmp_path / "image.bin", tmp_path / "back.bin"
    chance = random.Random(SEED)
    first = chance.randbytes(OCTETS // 4) + b"\xff" * (OCTETS // 2) + chance.randbytes(OCTETS // 4)
    second = bytearray(first)
    second[0x1FF0:0x3010] = chance.randbytes(0x1020)
    for content in (first, bytes(second)):
        image.write_bytes(content)
        assert "VERIFIED" in flashrom("-w", image)
        assert flash.content() == content, f"seed {SEED}"
    flashrom("-r", back)
    assert back.read_bytes() == bytes(second)
    flashrom("-E")
    assert flash.content() == b"\xff" * OCTETS
