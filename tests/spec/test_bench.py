# SPDX-License-Identifier: Apache-2.0
"""[[bench]] tables to benches: matrices, files, file lists, and what is missing."""

from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.spec.bench import load_benches
from fw_tools.spec.filelist import read_filelist
from fw_tools.spec.load import load_payload


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder with a user's design, as it might stand anywhere."""
    for name in (
        *("rtl/fifo.sv", "rtl/ram.sv", "rtl/skip.v", "rtl/lint.vlt"),
        *("include/defs.svh", "bench/test_fifo.py", "other/pkg.sv"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def write(folder: Path, text: str, name: str = "bench.toml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def mistakes(path: Path) -> list[str]:
    with pytest.raises(InputError) as raised:
        load_benches(path)
    return [line.removeprefix(f"{path}:") for line in str(raised.value).splitlines()]


WHOLE = """
[[bench]]
name = "fifo"
top = "fifo"
modules = ["test_fifo", "test_more"]
sources = ["rtl/*.sv", "rtl/fifo.sv", "other/pkg.sv"]
include_dirs = "include"
defines = { SIM = true, HARD = false, DEPTH = 3, TAG = "x" }
parameters = { Depth = 4, Init = "8'hff", Name = "abc", Ratio = 0.50, On = true }
verilator_args = "-Wno-WIDTH"
waivers = "rtl/lint.vlt"
python_paths = "bench"
environment = { MODE = "fast" }
lint = true
timeout = "1.5s"
"""


def test_every_key_reaches_the_record(tree: Path) -> None:
    (bench,) = load_benches(write(tree, WHOLE))
    assert (bench.name, bench.top) == ("fifo", "fifo")
    assert bench.test_modules == ("test_fifo", "test_more")
    assert bench.sources == (tree / "rtl/fifo.sv", tree / "rtl/ram.sv", tree / "other/pkg.sv")
    assert bench.include_dirs == (tree / "include",)
    assert bench.defines == (("SIM", "1"), ("DEPTH", "3"), ("TAG", "x"))
    assert bench.parameters == (
        ("Depth", "4"),
        ("Init", "8'hff"),
        ("Name", '"abc"'),  # Verilator takes a string parameter with its quotes.
        ("Ratio", "0.50"),
        ("On", "1"),
    )
    assert bench.verilator_args == ("-Wno-WIDTH",)
    assert bench.waivers == (tree / "rtl/lint.vlt",)
    assert bench.python_paths == (tree / "bench",)
    assert bench.environment == (("MODE", "fast"),)
    assert (bench.lint, bench.timeout_s) == (True, 1.5)


SMALL = """
[[bench]]
name = "fifo"
top = "fifo"
modules = "test_fifo"
sources = "rtl/fifo.sv"
"""


def test_test_modules_are_looked_for_beside_the_file_by_default(tree: Path) -> None:
    (bench,) = load_benches(write(tree, SMALL))
    assert bench.python_paths == (tree,)
    assert (bench.timeout_s, bench.lint) == (None, False)


def test_a_matrix_has_one_bench_per_top_and_values(tree: Path) -> None:
    text = SMALL.replace('top = "fifo"', 'top = ["fifo", "ram"]')
    text += "parameters = { Width = 8, Depth = [4, 16] }\n"
    cells = {bench.name: bench for bench in load_benches(write(tree, text))}
    assert list(cells) == [
        *("fifo[top=fifo,Depth=4]", "fifo[top=fifo,Depth=16]"),
        *("fifo[top=ram,Depth=4]", "fifo[top=ram,Depth=16]"),
    ]
    assert cells["fifo[top=ram,Depth=16]"].top == "ram"
    assert cells["fifo[top=ram,Depth=16]"].parameters == (("Width", "8"), ("Depth", "16"))


def test_paths_are_relative_to_the_file_and_not_to_the_current_folder(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tree, SMALL)
    monkeypatch.chdir(tree / "bench")
    (bench,) = load_benches(Path("../bench.toml"))
    assert [path.resolve() for path in bench.sources] == [tree / "rtl/fifo.sv"]
    assert bench.sources[0].is_absolute()


def test_the_benches_of_a_payload_are_read_alone_or_with_it(tree: Path, sound: str) -> None:
    path = write(tree, sound + SMALL, "payload.toml")
    assert load_benches(path) == load_payload(path).benches
    assert [bench.name for bench in load_benches(path)] == ["fifo"]


@pytest.mark.parametrize(
    ("part", "instead", "message"),
    [
        ("rtl/fifo.sv", "rtl/x.sv", "6: bench fifo: sources: 'rtl/x.sv': no such file below {}"),
        ("rtl/fifo.sv", "rtl/*.x", "6: bench fifo: sources: 'rtl/*.x': matches no file below {}"),
        ("rtl/fifo.sv", "rtl", "6: bench fifo: sources: 'rtl': no such file below {}"),
        ('sources = "rtl/fifo.sv"\n', "", ("2: bench fifo: missing key 'sources'; for example "
         'sources = ["rtl/*.sv"]')),
        ('top = "fifo"\n', "", "2: bench fifo: missing key 'top'; for example top = \"fifo\""),
        ("top =", "tpo =", "4: bench fifo: unknown key 'tpo'; did you mean 'top'?"),
        ("[[bench]]", "[[bench]]\nparameters.Depth = []",
         "3: bench fifo: parameters.Depth: is empty; give at least one value"),
        ("[[bench]]", "[[bench]]\nparameters.Depth = {}",
         "3: bench fifo: parameters.Depth: expected a number, true, false or text in quotes"),
        ("[[bench]]", "[[bench]]\ntimeout = 60",
         "3: bench fifo: timeout: 60 has no unit; write '60us' or '60ms' or '60s'"),
        ("[[bench]]", "[[bench]]\ninclude_dirs = 'inc'",
         "3: bench fifo: include_dirs: 'inc': no such folder below {}"),
        ("[[bench]]", f"[[bench]]\nparameters = {{ A = {list(range(32))}, B = {list(range(32))} }}",
         "3: bench fifo: parameters: 1024 combinations; at most 1000"),
        ("[[bench]]", "[[bench]]\nfilelists = 'no.f'",
         "3: bench fifo: filelists: 'no.f': no such file below {}"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_bench_is_named(tree: Path, part: str, instead: str, message: str) -> None:
    assert mistakes(write(tree, SMALL.replace(part, instead, 1))) == [message.format(tree)]


def test_two_benches_of_one_name_are_refused(tree: Path) -> None:
    assert mistakes(write(tree, SMALL + SMALL)) == [
        "9: bench fifo: name: a bench before it has the same name"
    ]


def test_a_file_without_benches_is_refused(tree: Path) -> None:
    assert mistakes(write(tree, "[benches]\n")) == [
        "1: unknown table 'benches'; did you mean 'bench'?",
        "1: no [[bench]] table in this file",
    ]


LIST = """\
// A comment, and # another
+incdir+include+other  # Two folders.
-I include
+define+A=1+B
-DC="two words"
-GDepth=8'h10
-Wno-WIDTH +libext+.v
-y other
/* rtl/nothing.sv
   rtl/nothing.sv */
rtl/fifo.sv rtl/lint.vlt
-f more/nested.f
"""


def test_a_file_list_is_read_with_all_it_may_hold(tree: Path) -> None:
    (tree / "more").mkdir()
    write(tree, "../rtl/ram.sv\n", "more/nested.f")
    listed = read_filelist(write(tree, LIST, "files.f"))
    assert listed.sources == (tree / "rtl/fifo.sv", tree / "rtl/ram.sv")
    assert listed.include_dirs == (tree / "include", tree / "other", tree / "include")
    assert listed.defines == (("A", "1"), ("B", ""), ("C", "two words"))
    assert listed.parameters == (("Depth", "8'h10"),)
    assert listed.verilator_args == ("-Wno-WIDTH", "+libext+.v", "-y", str(tree / "other"))
    assert listed.waivers == (tree / "rtl/lint.vlt",)


def test_the_files_of_a_list_come_before_those_of_the_bench(tree: Path) -> None:
    write(tree, "other/pkg.sv\n-DA\n", "files.f")
    (bench,) = load_benches(write(tree, f'{SMALL}filelists = "files.f"\ndefines = {{ A = 2 }}\n'))
    assert bench.sources == (tree / "other/pkg.sv", tree / "rtl/fifo.sv")
    assert bench.defines == (("A", ""), ("A", "2"))


def test_every_mistake_of_a_file_list_is_named_at_its_line(tree: Path) -> None:
    listed = write(tree, 'rtl/no.sv\n$ROOT/rtl/fifo.sv\n--cc\n-f\n"rtl\n-f files.f\n', "files.f")
    found = mistakes(write(tree, f'{SMALL}filelists = "files.f"\n'))
    expected = [
        f"{listed}:1: 'rtl/no.sv': no such file or folder below {tree}",
        f"{listed}:2: '$ROOT/rtl/fifo.sv': environment variables are not expanded; give the path",
        f"{listed}:3: option '--cc' is not understood; put it in verilator_args",
        f"{listed}:4: option '-f' stands alone; a name follows it",
        f"{listed}:5: No closing quotation",
        f"{listed}:6: 'files.f' names itself, directly or through another list",
    ]
    assert sorted(found) == [f"7: bench fifo: filelists: {line}" for line in expected]
