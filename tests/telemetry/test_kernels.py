# SPDX-License-Identifier: Apache-2.0
"""Which kernels do the work, and where the compiled ones are kept."""

import binascii
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import telemetry
from telemetry.common.kernels import (
    CACHE_VARIABLE,
    MIN_NUMBA_OCTETS,
    VARIABLE,
    Kernels,
    WrongKernelsError,
    choose_kernels,
)
from telemetry.wire.crc_rows import crc16_rows

HAS_NUMBA = pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("numba"), reason="numba is not installed"
)
AS_IF_WITHOUT_NUMBA = """
import sys
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "numba" else find(name, *rest)
from telemetry.cli import main
main()
"""
USE_A_KERNEL = """
import numpy as np
from telemetry.common.kernels import Kernels
from telemetry.wire.crc_rows import crc16_rows
octets = np.frombuffer(b"123456789", np.uint8)
print(hex(crc16_rows(octets, np.array([0]), np.array([9]), Kernels.NUMBA)[0]))
"""

TELL_THE_CACHE = """
from telemetry.common.kernels import compiled
from telemetry.wire import crc_rows
stats = compiled(crc_rows._crc_by_eights).stats
print(crc_rows.__file__, sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


@pytest.fixture
def decode(run_telemetry, definition_file, tmp_path, dump_of):
    """Decode three packets with TELEMETRY_KERNELS set."""
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(3)))

    def run(kernels):
        arguments = ("decode", "d.bin", "--definition", "mission.py:PACKETS", "-o", "o.csv")
        environment = {**os.environ, VARIABLE: kernels}
        return run_telemetry(*arguments, cwd=tmp_path, env=environment)

    return run


@pytest.mark.parametrize("kernels", ["numpy", pytest.param("numba", marks=HAS_NUMBA), ""])
def test_each_kind_of_kernels_decodes(decode, kernels):
    done = decode(kernels)
    assert done.returncode == 0
    assert "good, CRC holds" in done.stderr


def test_kernels_of_another_name_are_refused(decode):
    done = decode("fortran")
    assert done.returncode == 2
    assert "TELEMETRY_KERNELS=fortran: expected numpy or numba" in done.stderr


def test_numba_that_is_asked_for_and_absent_is_told_with_the_command_that_brings_it(
    definition_file, tmp_path, dump_of
):
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(3)))
    command = [sys.executable, "-c", AS_IF_WITHOUT_NUMBA, "decode", "d.bin"]
    command += ["--definition", "mission.py:PACKETS"]
    environment = {**os.environ, VARIABLE: "numba"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert "numba is not installed. This brings it:\n" in done.stderr
    assert "  python -m pip install 'fw-tools[fast]'\n" in done.stderr


def test_short_jobs_do_without_numba(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert choose_kernels(MIN_NUMBA_OCTETS - 1) is Kernels.NUMPY
    assert choose_kernels(None) is Kernels.NUMPY
    monkeypatch.setenv(VARIABLE, "x")
    with pytest.raises(WrongKernelsError):
        choose_kernels(None)


@HAS_NUMBA
def test_long_jobs_take_numba_and_either_can_be_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert choose_kernels(MIN_NUMBA_OCTETS) is Kernels.NUMBA
    for kernels in Kernels:
        monkeypatch.setenv(VARIABLE, str(kernels))
        assert choose_kernels(1) is choose_kernels(1 << 40) is kernels


@HAS_NUMBA
def test_compiled_kernels_are_kept_in_the_user_s_cache_folder(tmp_path):
    environment = {**os.environ, "FW_TOOLS_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", USE_A_KERNEL]
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        # The check value of CRC-16/IBM-3740, in every catalogue of CRCs.
        assert done.stdout.strip() == "0x29b1"
        kept = list((tmp_path / "cache" / "kernels").rglob("*.nbc"))
        assert len(kept) == 1


@HAS_NUMBA
def test_compiled_kernels_survive_a_read_only_install(tmp_path):
    """The package where nothing can be written, as another user installed it."""
    install = tmp_path / "site-packages"
    source = Path(telemetry.__file__).parent
    shutil.copytree(source, install / "telemetry", ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(install.rglob("*"))
    for path in [install, *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    environment = {**os.environ, "PYTHONPATH": str(install), "XDG_CACHE_HOME": str(tmp_path / "c")}
    environment.pop(CACHE_VARIABLE, None)
    command = _without_privileges([sys.executable, "-B", "-c", USE_A_KERNEL + TELL_THE_CACHE])
    try:
        told = [
            subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
            )
            for _ in range(2)
        ]
    finally:
        for path in [install, *before]:
            path.chmod(0o755)
    module = str(install / "telemetry" / "wire" / "crc_rows.py")
    assert told[0].stdout.split() == ["0x29b1", module, "0", "1"]  # Compiled, and kept;
    assert told[1].stdout.split() == ["0x29b1", module, "1", "0"]  # then taken from there.
    assert sorted(install.rglob("*")) == before
    assert len(list((tmp_path / "c" / "fw-tools" / "kernels").rglob("*.nbc"))) == 1


def _without_privileges(command):
    """Return a command to which a read-only folder is read-only, also where root runs it."""
    if os.geteuid():
        return command
    setpriv = shutil.which("setpriv") or pytest.skip("root needs setpriv to give up its privileges")
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all", *command]


@HAS_NUMBA
def test_kernels_work_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "cache").write_text("a file, where a folder is wanted")
    environment = {**os.environ, "FW_TOOLS_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", USE_A_KERNEL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0x29b1"


@pytest.mark.parametrize("kernels", [Kernels.NUMPY, pytest.param(Kernels.NUMBA, marks=HAS_NUMBA)])
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    rows=st.sampled_from([0, 1, 2, 47, 48, 200]),
    form=st.sampled_from(["equal", "few lengths", "any lengths", "long", "apart"]),
)
def test_crcs_of_rows_are_those_of_the_standard_library(kernels, seed, rows, form):
    rng = np.random.default_rng(seed)
    length = int(rng.integers(0, 90))
    lengths = {
        "equal": np.full(rows, length),
        "few lengths": rng.choice([length, 7, 8, 33], rows),
        "any lengths": rng.integers(0, 90, rows),
        "long": rng.choice([399, 400, 401, 1000], rows),
        "apart": np.full(rows, length),
    }[form].astype(np.int64)
    gaps = rng.integers(0, 5, rows) if form == "apart" else np.zeros(rows, np.int64)
    starts = np.cumsum(lengths + gaps) - lengths
    octets = np.frombuffer(rng.bytes(int((lengths + gaps).sum()) + 3), np.uint8)
    expected = [
        binascii.crc_hqx(octets[start : start + size].tobytes(), 0xFFFF)
        for start, size in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    assert crc16_rows(octets, starts, lengths, kernels).tolist() == expected
