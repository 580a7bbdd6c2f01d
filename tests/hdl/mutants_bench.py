# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a bench on the untouched design and on every mutant of one build.

Configuration, beside that of the bench: `bench` (module), `mutants` (pairs of mutant, mutant_bit).
"""

import importlib
import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import SimTimeoutError, with_timeout

HUNG_NS = 2_000_000  # Every test of the untouched design ends well before.


def configuration() -> dict[str, Any]:
    return json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text())


async def failing_test(dut: Any, mutant: int, bit: int) -> str | None:
    """Return the name of the first test that fails for a mutant, or None when all pass."""
    dut.mutant.value = mutant
    dut.mutant_bit.value = bit
    bench = importlib.import_module(configuration()["bench"])
    tests = [item for item in vars(bench).values() if isinstance(item, type(the_design_passes))]
    assert tests
    for test in tests:
        try:
            await with_timeout(test.func(dut), HUNG_NS, "ns")
        except (AssertionError, SimTimeoutError):
            return test.name
    return None


@cocotb.test()
async def the_design_passes(dut: Any) -> None:
    assert await failing_test(dut, 0, 0) is None


@cocotb.test()
async def every_mutant_fails(dut: Any) -> None:
    survivors = []
    for mutant, bit in configuration()["mutants"]:
        killer = await failing_test(dut, mutant, bit)
        dut._log.info(f"mutant {mutant}.{bit}: {killer or 'SURVIVES'}")
        if killer is None:
            survivors.append((mutant, bit))
    assert not survivors, survivors
