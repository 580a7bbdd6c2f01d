# SPDX-License-Identifier: Apache-2.0
"""`fw-tools bench`: any SystemVerilog under any cocotb 2 bench."""

from pathlib import Path
from typing import Any

import click

from fw_tools.cli.bench_options import BenchOptions, bench_options, repeat_command, show
from telemetry.common.exit_codes import ExitCode


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="BENCH.toml | FILE...")
@click.option("--top", "tops", multiple=True, metavar="TOP", help="Top module; may be repeated.")
@click.option(
    *("-m", "--module", "modules"),
    multiple=True,
    metavar="MODULE",
    help="cocotb test module, as MODULE or path/to/MODULE.py; may be repeated.",
)
@click.option(
    "-f", "filelists", multiple=True, metavar="FILES.f", help="File list, as simulators take it."
)
@click.option("-I", "include_dirs", multiple=True, metavar="DIR", help="Folder of `include files.")
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="Macro.")
@click.option(
    "-G",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE[,VALUE...]",
    help="Parameter of the top; with several values the bench runs once for each.",
)
@click.option(
    "--verilator-arg",
    "verilator_args",
    multiple=True,
    metavar="ARG",
    help="Further argument of Verilator, as in --verilator-arg=-Wno-WIDTH.",
)
@click.option("--waiver", "waivers", multiple=True, metavar="FILE.vlt", help="Verilator waivers.")
@click.option(
    "--python-path",
    "python_paths",
    multiple=True,
    metavar="DIR",
    help="Where test modules are looked for, besides the current folder.",
)
@click.option("--lint", is_flag=True, help="Demand that Verilator -Wall is quiet.")
@bench_options
def bench(
    files: tuple[Path, ...],
    tops: tuple[str, ...],
    modules: tuple[str, ...],
    options: BenchOptions,
    **design: Any,
) -> ExitCode:
    """Build SystemVerilog with Verilator and run a cocotb bench on it.

    Give a file with [[bench]] tables, or a top, a test module and the sources. The bench runs in
    the current folder (that of BENCH.toml, if given), needs nothing of ours and no Makefile. Exit
    code 4 when a test does not hold, the bench cannot be imported, or none ran. DIR is build/TOP,
    or build/BENCH, by default.

    \b
    Examples:
      fw-tools bench --top fifo -m test_fifo rtl/fifo.sv
      fw-tools bench --top fifo -m tests/test_fifo.py -f files.f -I rtl -G Depth=4,16 --waves
      fw-tools bench bench.toml --jobs 4 --timeout 60
    """
    from fw_tools.flow import bench as flow

    if len(files) == 1 and files[0].suffix == ".toml":
        if tops or modules or any(design.values()):
            raise click.UsageError("BENCH.toml says all about the design; give no other options")
        benches, folder, name = flow.benches_of_file(files[0]), files[0].parent, files[0].stem
    else:
        if not tops or not modules:
            raise click.UsageError("give BENCH.toml, or --top TOP -m MODULE FILE...")
        request = flow.DesignRequest(sources=files, tops=tops, modules=modules, **design)
        benches, folder, name = flow.benches_of_request(request), Path(), tops[0]
    schedule = options.schedule(Path("build") / name)
    report = flow.bench(benches, folder.absolute(), schedule, repeat_command(options))
    return show(report, schedule.output, each_test=True)
