# SPDX-License-Identifier: Apache-2.0
"""Each test starts with a payload that sends nothing by itself, and leaves one."""

from collections.abc import Iterator

import pytest

from fw_tools.board.bench import Bench


@pytest.fixture(autouse=True)
def _quiet(bench: Bench) -> Iterator[None]:
    bench.probe.until_alive()
    bench.client.set_housekeeping(is_enabled=False)
    bench.probe.until_alive()
    yield
    bench.probe.until_alive()
