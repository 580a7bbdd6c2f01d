# SPDX-License-Identifier: Apache-2.0
"""Several benches at a time: order, folders, and steps that only sometimes happen."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fw_tools.errors import InputError, UsageError
from fw_tools.report.records import BenchSummary, Status, TestRecord
from fw_tools.sim.scheduler import (
    BenchResult,
    ScheduleOptions,
    Task,
    bench_folder,
    run_benches,
)
from fw_tools.spec.records import BenchSpec

MakeBench = Callable[..., BenchSpec]


class Diary:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, bench: str, activity: str) -> None:
        self.lines.append(f"{bench} is {activity}")

    def built(self, summary: BenchSummary) -> None:
        self.lines.append(f"{summary.name} is there")

    def finished(self, bench: str, records: Sequence[TestRecord]) -> None:
        self.lines.append(f"{bench} has {len(records)}")


def scheduled(
    benches: Sequence[BenchSpec], output: Path, diary: Diary | None = None, **options: object
) -> tuple[BenchResult, ...]:
    tasks = [Task(bench) for bench in benches]
    return run_benches(tasks, ScheduleOptions(output=output, **options), diary or Diary())


def test_results_come_in_the_order_of_the_benches(make_bench: MakeBench, tmp_path: Path) -> None:
    benches = [make_bench(name=name) for name in ("c", "a", "b")]
    results = scheduled(benches, tmp_path)
    assert [result.summary.name for result in results] == ["c", "a", "b"]
    assert [record.status for result in results for record in result.records] == [Status.PASSED] * 3
    assert results[0].records[0].log == "benches/c/run.log"
    assert results[0].summary.purpose == "A register hands on what it is given."
    assert results[0].records[0].description == "What goes in comes out one clock later."


def test_an_observer_hears_of_every_step(make_bench: MakeBench, tmp_path: Path) -> None:
    diary = Diary()
    scheduled([make_bench(lint=True)], tmp_path, diary)
    steps = ["is linted", "is built", "is there", "is run", "has 2"]
    assert diary.lines == [f"register {step}" for step in steps]


def test_a_bench_that_a_pattern_cannot_concern_is_not_built(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    diary = Diary()
    (result,) = scheduled([make_bench()], tmp_path, diary, pattern="nonesuch")
    assert result.records == ()
    assert diary.lines == ["register has 0"]


def test_a_pattern_that_names_a_bench_runs_all_of_it(make_bench: MakeBench, tmp_path: Path) -> None:
    (result,) = scheduled([make_bench()], tmp_path, pattern="^register$")
    assert len(result.records) == 1


def test_a_build_that_fails_is_a_record_beside_the_others(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    (tmp_path / "bad.sv").write_text("module bad;\n  assign = 3;\nendmodule\n")
    bad = BenchSpec(name="bad", top="bad", test_modules=("t",), sources=(tmp_path / "bad.sv",))
    broken, good = scheduled([bad, make_bench()], tmp_path / "out")
    (record,) = broken.records
    assert (record.test, record.status) == ("(build)", Status.ERROR)
    assert "bad.sv:2: syntax error" in record.message
    assert good.records[0].status is Status.PASSED


def test_a_warning_fails_the_lint_that_a_bench_asks_for(tmp_path: Path) -> None:
    (tmp_path / "wide.sv").write_text(
        "module wide (input logic [3:0] a_i, output logic [2:0] q_o);\n"
        "  assign q_o = a_i + 4'd1;\nendmodule\n"
    )
    bench = BenchSpec(
        name="wide", top="wide", test_modules=(), sources=(tmp_path / "wide.sv",), lint=True
    )
    (result,) = scheduled([bench], tmp_path / "out")
    (record,) = result.records
    assert (record.test, record.status) == ("(lint)", Status.FAILED)
    assert f"{tmp_path}/wide.sv:2:" in record.message
    assert "[WIDTHTRUNC]" in record.message


OLD = """
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def works(dut):
    await Timer(1, "ns")
    if hasattr(cocotb, "fork"):
        cocotb.fork(None)
    assert {claim}
"""


@pytest.mark.parametrize(("claim", "steps"), [("True", []), ("False", ["(cocotb 2)"])])
def test_removed_names_are_told_only_where_something_went_wrong(
    make_bench: MakeBench, tmp_path: Path, claim: str, steps: list[str]
) -> None:
    module = f"test_old_{claim.lower()}"
    (result,) = scheduled([make_bench(OLD.format(claim=claim), module)], tmp_path)
    assert [record.test for record in result.records] == [f"{module}.works", *steps]


def test_an_absent_source_ends_the_run_at_once(make_bench: MakeBench, tmp_path: Path) -> None:
    absent = make_bench(sources=(tmp_path / "nonesuch.sv",))
    with pytest.raises(InputError, match=r"nonesuch\.sv: no such file"):
        scheduled([absent], tmp_path)


def test_a_pattern_that_is_no_regular_expression_is_refused(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"-k '\(' is not a regular expression: "):
        scheduled([make_bench()], tmp_path, pattern="(")


def test_a_bench_folder_has_a_name_that_shells_take() -> None:
    assert bench_folder(Path("o"), "fifo[Depth=4,Name=a/b]") == Path(
        "o/benches/fifo_Depth=4_Name=a_b"
    )
