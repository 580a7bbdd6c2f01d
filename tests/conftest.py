# SPDX-License-Identifier: Apache-2.0
"""Rules for the whole test run: outside data, hypothesis, skips not forgiven in a strict run."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# No deadline: machines differ. In CI the same examples each time, so that a failure is a change's.
settings.register_profile("run", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("run")


def pytest_configure() -> None:
    """Take Ctrl-C where the shell ignores it for us (`nohup`, `&` in a script): tests send it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


FLASHROM = shutil.which("flashrom", path=f"{os.environ['PATH']}:/usr/sbin")  # Debian's place.

STM32FLASH = shutil.which("stm32flash")
NOT_THERE = "not installed; tests that need it are left out"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need what this machine has not; the header of the run says so."""
    absent = {
        "outside_data": not os.environ.get("FW_TEST_DATA"),
        "flashrom": not FLASHROM,
        "stm32flash": not STM32FLASH,
    }
    names = [name for name, is_absent in absent.items() if is_absent]
    left_out = [item for item in items if any(map(item.get_closest_marker, names))]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_report_header() -> list[str]:
    """Say where the recorded dumps and other people's programs are, or that there are none."""
    folder = os.environ.get("FW_TEST_DATA")
    none = "FW_TEST_DATA is not set; tests that need them are left out"
    return [
        f"recorded dumps: {folder or none}",
        f"flashrom: {FLASHROM or NOT_THERE}",
        f"stm32flash: {STM32FLASH or NOT_THERE}",
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail a skip that is not marked `hardware` when FW_STRICT_SKIPS is set (as CI does)."""
    report = yield
    is_forgiven = item.get_closest_marker("hardware") or hasattr(report, "wasxfail")
    if os.environ.get("FW_STRICT_SKIPS") and report.skipped and not is_forgiven:
        report.outcome = "failed"
        report.longrepr = f"skipped where skips are failures: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def flashrom_path() -> str:
    """Return where flashrom is."""
    assert FLASHROM
    return FLASHROM


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of recorded dumps."""
    return Path(os.environ["FW_TEST_DATA"])


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the tree under test."""
    return ROOT
