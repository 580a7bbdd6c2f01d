# SPDX-License-Identifier: Apache-2.0
"""Logs of runs that ended without results, as cocotb 2.1 writes them."""

from pathlib import Path

from fw_tools.report.records import Status
from fw_tools.sim.results import Source, read, unfinished

SOURCE = Source(bench="b", seed=1, log="run.log")
RUNNING = """\
     0.00ns INFO     cocotb.regression                  running test_a.first (1/3)
     1.00ns INFO     cocotb.regression                  test_a.first passed
     1.00ns INFO     cocotb.regression                  running test_a.second (2/3)
     2.00ns WARNING  cocotb.regression                  test_a.second failed
     2.00ns INFO     cocotb.regression                  running test_a.third/x=1 (3/3)
"""
SPOKEN = """\
running test_a.printed (1/1)
     0.00ns INFO     cocotb.regression                  running test_a.first (1/1)
     0.00ns INFO     test                               running test_a.logged (1/1)
     1.00ns INFO     test                               self test passed
     1.00ns WARNING  cocotb.dut                         test_a.first failed
the link passed
"""
IMPORTING = """\
     0.00ns INFO     cocotb.initialize                  Running on Verilator version 5.49
Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/cocotb/regression.py", line 255, in discover_tests
    mod = import_module(module_name)
  File "/home/me/tests/test_a.py", line 2, in <module>
    import nonesuch
ModuleNotFoundError: No module named 'nonesuch'
- :0: Verilog $finish
"""


def test_tests_that_ended_are_told_apart_from_the_one_that_did_not() -> None:
    records = unfinished(SOURCE, RUNNING, "killed", 5.0)
    assert [(record.test, record.status) for record in records] == [
        ("test_a.first", Status.PASSED),
        ("test_a.second", Status.FAILED),
        ("test_a.third/x=1", Status.ERROR),
    ]
    assert records[-1].message.startswith("killed; the last lines of its log:\n")


def test_what_a_bench_says_itself_is_no_test() -> None:
    (record,) = unfinished(SOURCE, SPOKEN, "killed", 5.0)
    assert (record.test, record.status) == ("test_a.first", Status.ERROR)


def test_a_failed_import_names_place_and_reason() -> None:
    (record,) = unfinished(SOURCE, IMPORTING, "ended", 1.0)
    assert (record.test, record.status) == ("(import)", Status.ERROR)
    assert record.message == (
        "cannot be imported: /home/me/tests/test_a.py:2: "
        "ModuleNotFoundError: No module named 'nonesuch'"
    )


def test_an_empty_log_still_gives_a_reason() -> None:
    (record,) = unfinished(SOURCE, "", "the simulation was ended by signal 9", 0.1)
    assert (record.test, record.message) == ("(run)", "the simulation was ended by signal 9")


def test_results_cut_short_are_no_results(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    assert read(SOURCE, path) is None
    path.write_text("<testsuites><testsuite")
    assert read(SOURCE, path) is None
