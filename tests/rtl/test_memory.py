# SPDX-License-Identifier: Apache-2.0
"""The text of generated memories."""

import re
from dataclasses import replace

import pytest

from fw_tools.ecc.records import MemorySpec
from fw_tools.errors import InputError
from fw_tools.rtl.memory import render_memory, scrub_interval_clocks

MEMORY = MemorySpec(name="weights", data_bits=64, words=1024, code="hsiao", scrub_interval_us=10)


# clocks = interval x clock, worked by hand; a third of a microsecond rounds to the nearest clock.
@pytest.mark.parametrize(
    ("interval_us", "clock_hz", "clocks"),
    [
        (10, 50_000_000, 500),
        (1, 33_333_333, 33),
        (1, 100_000, 1),
        (60_000_000, 50_000_000, 3 * 10**9),
    ],
)
def test_the_scrub_interval_in_clocks(interval_us: int, clock_hz: int, clocks: int) -> None:
    memory = replace(MEMORY, scrub_interval_us=interval_us)
    assert scrub_interval_clocks(memory, clock_hz) == clocks
    text = render_memory("node", memory, clock_hz)[-1].text
    assert f"parameter int unsigned ScrubIntervalClocks = 32'd{clocks}\n" in text


def test_an_interval_too_long_to_count_is_refused_with_the_longest() -> None:
    # 2^32 - 1 clocks of 20 ns are 85.899 s.
    with pytest.raises(InputError, match=r"memory weights: .*at most 85899345 us"):
        render_memory("node", replace(MEMORY, scrub_interval_us=90_000_000), 50_000_000)


def test_the_module_comes_last_after_all_that_it_instantiates() -> None:
    files = render_memory("node", MEMORY, 50_000_000)
    assert files[-1].path.as_posix() == "rtl/node_weights.sv"
    defined = {file.path.stem for file in files}
    for file in files:
        used = re.findall(r"^  (\w+) (?:#\(|u_\w+ \()", file.text, re.MULTILINE)
        assert set(used) <= defined, file.path


def test_the_text_is_the_same_twice_and_has_no_trailing_blanks() -> None:
    files = render_memory("node", MEMORY, 50_000_000)
    assert files == render_memory("node", MEMORY, 50_000_000)
    for file in files:
        assert not re.search(r"[ \t]$|\r", file.text, re.MULTILINE), file.path
