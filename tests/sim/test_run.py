# SPDX-License-Identifier: Apache-2.0
"""Every way in which a bench can end, each to records that say what happened."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fw_tools.report.records import Status, TestRecord
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.coverage import line_coverage
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.records import BenchSpec

MakeBench = Callable[..., BenchSpec]
HEAD = "import os, random, sys\nimport cocotb\nfrom cocotb.triggers import Timer\n"


def ran(bench: BenchSpec, work: Path, **options: object) -> tuple[TestRecord, ...]:
    program = build(bench, BuildOptions(work=work, folder=bench.sources[0].parent))
    return run(program, bench, RunOptions(work=work, **options))


def test_a_good_bench_passes_with_time_seed_and_place(
    make_bench: MakeBench, design: Path, tmp_path: Path
) -> None:
    (record,) = ran(make_bench(), tmp_path, seed=7)
    assert (record.test, record.status) == ("test_reg.every_word_passes", Status.PASSED)
    # 21 falling edges of a 10 ns clock that starts high: 5 ns, then 20 periods.
    assert record.sim_ns == 205.0
    assert record.seed == 7
    assert record.location == f"{design}/test_reg.py:9"


def test_pass_fail_error_and_skip_are_told_apart(make_bench: MakeBench, tmp_path: Path) -> None:
    text = f"""{HEAD}
@cocotb.test()
async def holds(dut):
    await Timer(1, "ns")
@cocotb.test()
async def fails(dut):
    await Timer(1, "ns")
    assert 1 == 2, "one is not two"
@cocotb.test()
async def raises(dut):
    dut.nonesuch.value = 1
@cocotb.test(expect_fail=True)
async def fails_as_expected(dut):
    assert 0
@cocotb.test(skip=True)
async def left_out(dut):
    assert 0
"""
    records = ran(make_bench(text, "test_kinds"), tmp_path)
    assert [(record.test.partition(".")[2], record.status) for record in records] == [
        ("holds", Status.PASSED),
        ("fails", Status.FAILED),
        ("raises", Status.FAILED),
        ("fails_as_expected", Status.PASSED),
        ("left_out", Status.SKIPPED),
    ]
    assert "test_kinds.py:11: AssertionError: one is not two" in records[1].message
    assert "no child object named nonesuch" in records[2].message


def test_an_exit_status_of_zero_hides_nothing(make_bench: MakeBench, tmp_path: Path) -> None:
    text = f"{HEAD}\n@cocotb.test()\nasync def leaves(dut):\n    os._exit(0)\n"
    (record,) = ran(make_bench(text, "test_leaves"), tmp_path)
    assert (record.test, record.status) == ("test_leaves.leaves", Status.ERROR)
    assert record.message.startswith("the simulation ended with status 0;")


def test_a_simulation_that_dies_is_told_with_its_signal(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    text = f"{HEAD}\n@cocotb.test()\nasync def aborts(dut):\n    os.abort()\n"
    (record,) = ran(make_bench(text, "test_aborts"), tmp_path)
    assert record.status is Status.ERROR
    assert "ended by signal 6" in record.message
    assert "running test_aborts.aborts" in record.message


@pytest.mark.parametrize(
    ("module", "text", "reason"),
    [
        ("test_absent", "", "ModuleNotFoundError: No module named 'test_absent'"),
        ("test_import", "import nonesuch\n", "test_import.py:1: ModuleNotFoundError: No module"),
        ("test_syntax", "def f(:\n", "test_syntax.py:1: SyntaxError"),
        ("test_empty", "import cocotb\n", "no test in module test_empty; is there a @cocotb.test"),
    ],
)
def test_a_bench_without_tests_is_an_error_that_says_why(
    make_bench: MakeBench, tmp_path: Path, module: str, text: str, reason: str
) -> None:
    (record,) = ran(make_bench(text, module), tmp_path)
    assert (record.test, record.status) == ("(import)", Status.ERROR)
    assert reason in record.message


def test_one_empty_module_beside_a_good_one_is_an_error(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    make_bench("import cocotb\n", "test_empty")
    bench = replace(make_bench(), test_modules=("test_reg", "test_empty"))
    statuses = {record.test: record.status for record in ran(bench, tmp_path)}
    assert statuses == {"test_reg.every_word_passes": Status.PASSED, "(import)": Status.ERROR}


def test_a_pattern_that_matches_nothing_gives_no_record(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    assert ran(make_bench(), tmp_path, pattern="nonesuch") == ()


def test_a_hung_bench_is_killed_and_its_test_named(make_bench: MakeBench, tmp_path: Path) -> None:
    text = f"{HEAD}\n@cocotb.test()\nasync def hangs(dut):\n    while True:\n        pass\n"
    (record,) = ran(make_bench(text, "test_hangs"), tmp_path, timeout_s=1.5)
    assert (record.test, record.status) == ("test_hangs.hangs", Status.ERROR)
    assert record.message.startswith("killed after 1.5 s (time-out)")


def test_the_time_out_of_the_bench_itself_counts(make_bench: MakeBench, tmp_path: Path) -> None:
    text = f"{HEAD}\n@cocotb.test()\nasync def hangs(dut):\n    while True:\n        pass\n"
    (record,) = ran(make_bench(text, "test_hangs", timeout_s=1.0), tmp_path)
    assert "killed after 1 s" in record.message


def test_the_seed_decides_storage_and_random_numbers(make_bench: MakeBench, tmp_path: Path) -> None:
    text = f"""{HEAD}
@cocotb.test()
async def shows(dut):
    await Timer(1, "ns")
    cocotb.log.info(f"shown {{dut.q_o.value}} {{random.getrandbits(32)}}")
"""
    bench = make_bench(text, "test_shows")

    def shown(seed: int) -> list[str]:
        ran(bench, tmp_path, seed=seed)
        lines = (tmp_path / "run.log").read_text().splitlines()
        return [line.partition("shown ")[2] for line in lines if "shown " in line]

    first = shown(1)
    assert len(first) == 1
    assert shown(1) == first
    other = shown(2)
    assert other[0].split()[0] != first[0].split()[0]  # Storage: 8 random bits.
    assert other[0].split()[1] != first[0].split()[1]


def test_a_failed_assertion_of_the_design_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "claims.sv").write_text(
        "module claims (input logic clk_i, input logic a_i);\n"
        '  always_ff @(posedge clk_i) assert (!a_i) else $error("a_i is high");\nendmodule\n'
    )
    (tmp_path / "test_claims.py").write_text(
        f"{HEAD}\n@cocotb.test()\nasync def raises_it(dut):\n    dut.a_i.value = 1\n"
        '    dut.clk_i.value = 0\n    await Timer(1, "ns")\n    dut.clk_i.value = 1\n'
        '    await Timer(1, "ns")\n'
    )
    bench = BenchSpec(
        name="claims",
        top="claims",
        test_modules=("test_claims",),
        sources=(tmp_path / "claims.sv",),
        python_paths=(tmp_path,),
    )
    records = ran(bench, tmp_path / "work")
    (record,) = records
    assert record.status is Status.FAILED
    assert "claims.sv:2" in record.message
    assert "a_i is high" in record.message


def test_waves_and_coverage_are_written(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = make_bench()
    options = BuildOptions(work=tmp_path, has_waves=True, has_coverage=True)
    records = run(build(bench, options), bench, RunOptions(work=tmp_path, has_waves=True))
    assert [record.status for record in records] == [Status.PASSED]
    waves = (tmp_path / "waves.vcd").read_text()
    assert "$enddefinitions" in waves
    assert "q_o" in waves
    (row,) = line_coverage([tmp_path / "coverage.dat"])
    assert row.file == str(bench.sources[0])
    assert (row.covered, row.missed) == (row.total, ())
