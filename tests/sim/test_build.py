# SPDX-License-Identifier: Apache-2.0
"""Builds of a small design: what is made anew, what comes from the cache, what is said."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.sim.build import Build, BuildError, BuildOptions, build, lint
from fw_tools.spec.records import BenchSpec

MakeBench = Callable[..., BenchSpec]


def built(bench: BenchSpec, work: Path) -> Build:
    return build(bench, BuildOptions(work=work, folder=bench.sources[0].parent))


def in_own_process(bench: BenchSpec, work: Path) -> bool:
    return built(bench, work).is_cached


def test_an_unchanged_bench_is_not_built_again(make_bench: MakeBench, tmp_path: Path) -> None:
    built(make_bench(), tmp_path / "first")
    again = built(make_bench(), tmp_path / "second")
    assert again.is_cached
    assert again.program.is_file()
    assert "Verilator" in again.log.read_text()


def test_another_width_takes_the_run_time_from_the_cache(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    built(make_bench(), tmp_path / "first")
    other = built(make_bench(parameters=(("Width", "13"),)), tmp_path / "second")
    # verilated, verilated_dpi, verilated_vpi and verilated_threads at least.
    assert not other.is_cached
    assert other.objects.hits >= 4


def test_a_changed_include_is_seen_and_an_old_text_is_found_again(tmp_path: Path) -> None:
    header = tmp_path / "width.svh"
    source = tmp_path / "top.sv"
    source.write_text('`include "width.svh"\nmodule top (output logic [`W-1:0] q_o);\n'
                      "  assign q_o = '1;\nendmodule\n")  # fmt: skip
    bench = BenchSpec(name="i", top="top", test_modules=("t",), sources=(source,))
    seen = []
    for text in ("`define W 4\n", "`define W 5\n", "`define W 4\n"):
        header.write_text(text)
        seen.append(built(bench, tmp_path / "work").is_cached)
    assert seen == [False, False, True]


def test_a_new_file_beside_the_sources_is_seen(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text(
        "module top (input logic a_i);\n  inner u (.a_i);\nendmodule\n"
    )
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "inner.sv").write_text("module inner (input logic a_i);\nendmodule\n")
    bench = BenchSpec(
        name="n",
        top="top",
        test_modules=("t",),
        sources=(tmp_path / "top.sv",),
        include_dirs=(tmp_path, tmp_path / "far"),
    )
    built(bench, tmp_path / "work")
    (tmp_path / "inner.sv").write_text(
        "module inner (input logic a_i, input logic b_i);\nendmodule\n"
    )
    assert not built(bench, tmp_path / "work").is_cached


def test_two_processes_build_the_same_bench_once(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = make_bench(parameters=(("Width", "21"),))
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        jobs = [(bench, tmp_path / name) for name in ("one", "two")]
        assert sorted(pool.starmap(in_own_process, jobs)) == [False, True]


def test_native_sources_are_never_taken_from_the_cache(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text(
        'module top;\n  import "DPI-C" function int three();\n  initial assert (three() == 3);\n'
        "endmodule\n"
    )
    (tmp_path / "three.cpp").write_text('extern "C" int three() { return 3; }\n')
    sources = (tmp_path / "top.sv", tmp_path / "three.cpp")
    bench = BenchSpec(name="c", top="top", test_modules=("t",), sources=sources)
    assert [built(bench, tmp_path / "work").is_cached for _ in range(2)] == [False, False]


def test_a_large_design_in_many_files_builds(tmp_path: Path) -> None:
    # Beyond --output-split Verilator's make compiles file by file and wants a header precompiled.
    source = tmp_path / "tiny.sv"
    source.write_text("module tiny (input logic a_i, output logic q_o);\n"
                      "  assign q_o = a_i;\nendmodule\n")  # fmt: skip
    bench = BenchSpec(
        name="tiny",
        top="tiny",
        test_modules=("t",),
        sources=(source,),
        verilator_args=("--output-split", "200"),
    )
    large = built(bench, tmp_path / "a folder")
    assert large.program.is_file()
    log = large.log.read_text()
    assert log.count("-include Vtop__pch.h ") > 2
    assert "error" not in log


def test_a_syntax_error_is_named_with_its_place(tmp_path: Path) -> None:
    source = tmp_path / "bad.sv"
    source.write_text("module bad;\n  assign = 3;\nendmodule\n")
    bench = BenchSpec(name="bad", top="bad", test_modules=("t",), sources=(source,))
    with pytest.raises(BuildError, match=rf"bad does not build: {source}:2: syntax error"):
        built(bench, tmp_path / "work")


def test_every_absent_file_is_named(tmp_path: Path) -> None:
    bench = BenchSpec(
        name="none",
        top="top",
        test_modules=("t",),
        sources=(tmp_path / "a.sv", tmp_path / "b.sv"),
        include_dirs=(tmp_path / "c",),
    )
    with pytest.raises(InputError) as raised:
        build(bench, BuildOptions(work=tmp_path))
    assert str(raised.value).splitlines() == [
        f"bench none: {tmp_path}/a.sv: no such file",
        f"bench none: {tmp_path}/b.sv: no such file",
        f"bench none: {tmp_path}/c: no such folder",
    ]


def test_lint_names_each_warning_until_it_is_waived(tmp_path: Path) -> None:
    source = tmp_path / "wide.sv"
    source.write_text(
        "module wide (input logic [3:0] a_i, output logic [2:0] q_o);\n"
        "  assign q_o = a_i + 4'd1;\nendmodule\n"
    )
    waiver = tmp_path / "wide.vlt"
    waiver.write_text('`verilator_config\nlint_off -rule WIDTHTRUNC -file "*wide.sv"\n')
    bench = BenchSpec(name="wide", top="wide", test_modules=(), sources=(source,))
    options = BuildOptions(work=tmp_path / "work")
    (message,) = lint(bench, options)
    assert (message.code, message.file, message.line) == ("WIDTHTRUNC", str(source), 2)
    waived = BenchSpec(
        name="wide", top="wide", test_modules=(), sources=(source,), waivers=(waiver,)
    )
    assert lint(waived, options) == ()
