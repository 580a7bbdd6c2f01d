# SPDX-License-Identifier: Apache-2.0
"""A report of every kind of outcome, with text that wants to be markup."""

import pytest

from fw_tools.report.records import BenchSummary, CoverageRow, RunReport, Status, TestRecord

EVIL = '<script>alert("x")</script> & [red] \x1b[31m\x00'


@pytest.fixture
def report() -> RunReport:
    """Return two benches with five tests: two passed, one each failed, error and skipped."""
    records = (
        TestRecord(
            bench="sequencer",
            test="seq.rails_come_up_in_order",
            status=Status.PASSED,
            seconds=1.25,
            sim_ns=2_500_000.0,
            seed=7,
            description="Each rail waits for those it needs.",
        ),
        TestRecord(
            bench="sequencer",
            test="seq.late_power_good_is_a_fault",
            status=Status.FAILED,
            seconds=0.5,
            sim_ns=10.0,
            message=f"seq.py:9: AssertionError: {EVIL}\nassert 1 == 2",
            location="seq.py:3",
            seed=7,
            log="benches/sequencer/run.log",
        ),
        TestRecord(bench="mine", test="(lint)", status=Status.PASSED, seconds=0.1),
        TestRecord(
            bench="mine", test="a.one", status=Status.ERROR, seconds=2.0, message="killed after 2 s"
        ),
        TestRecord(bench="mine", test="b.two", status=Status.SKIPPED, seconds=0.0),
    )
    return RunReport(
        title="Verification of node",
        records=records,
        benches=(
            BenchSummary(
                name="sequencer",
                top="node_sequencer",
                purpose="The sequencer against a plant.",
                build_seconds=1.5,
                is_cached=False,
                objects_cached=4,
                objects_compiled=2,
                waves="benches/sequencer/waves.vcd",
            ),
            BenchSummary(name="mine", top="t", purpose="", build_seconds=0.02, is_cached=True),
        ),
        seed=7,
        command="fw-tools verify payload.toml --seed 7",
        seconds=4.2,
        coverage=(CoverageRow(file="a.sv", covered=3, total=4, missed=(12,)),),
        tools=(("verilator", "5.48.0"),),
    )
