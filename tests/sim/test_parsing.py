# SPDX-License-Identifier: Apache-2.0
"""Sources are parsed from several threads at once, as benches are told apart."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fw_tools.sim.parsing import parse_source

SOURCE = "\n".join(f"def f{n}(a): return {'(' * 30}a{')' * 30}[{n}]" for n in range(200))


@pytest.fixture
def threads_change_in_collections() -> Iterator[None]:
    """Let another thread go on whenever garbage is collected, also in the middle of a tree."""

    def give_way(*_: object) -> None:
        time.sleep(0.0001)

    gc.callbacks.append(give_way)
    yield
    gc.callbacks.remove(give_way)


@pytest.mark.usefixtures("threads_change_in_collections")
def test_sources_are_parsed_from_several_threads_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(parse_source, [SOURCE] * 40))
    assert {len(tree.body) for tree in trees} == {200}
