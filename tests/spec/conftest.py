# SPDX-License-Identifier: Apache-2.0
"""A small sound description, and what loading a text finds in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.spec.load import load_payload

SOUND = """\
[board]
name = "probe"
clock = "50MHz"
[memory.store]
data_bits = 8
words = 16
code = "hsiao"
scrub_interval = "10us"
[rail.v5]
volts = "5V"
amps = "2A"
ramp = "1ms..5ms"
timeout = "6ms"
pg = { input = "pg_v5", on = "95%", off = "90%", filter = "8us" }
off = { timeout = "10ms" }
[packet.housekeeping]
apid = 1
structure_id = 1
period = "1s"
fields = [
  { name = "on", source = "rails.on" },
]
"""


@pytest.fixture(scope="session")
def sound() -> str:
    """Return a small description without a mistake."""
    return SOUND


@pytest.fixture
def mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return a function from the text of a payload.toml to the lines that loading it reports."""
    monkeypatch.chdir(tmp_path)

    def load(text: str) -> list[str]:
        Path("payload.toml").write_text(text, encoding="utf-8")
        try:
            load_payload(Path("payload.toml"))
        except InputError as error:
            return str(error).splitlines()
        return []

    return load
