# SPDX-License-Identifier: Apache-2.0
"""`fw-tools verify`: from a payload description to a verdict."""

from pathlib import Path

import click

from fw_tools.cli.bench_options import BenchOptions, bench_options, repeat_command, show
from telemetry.common.exit_codes import ExitCode


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("-v", "--verbose", is_flag=True, help="Show every test, not only every bench.")
@bench_options
def verify(spec: Path, verbose: bool, options: BenchOptions) -> ExitCode:
    """Generate the gateware described in SPEC, lint it, and run every bench on it.

    The benches check the gateware against models in Python that it was not made from: each code
    word under every one- and two-bit flip, the memories under upsets, the power sequencer under
    every fault of every rail, the packets byte by byte. [[bench]] tables in SPEC run beside them.
    DIR is build/NAME by default. Exit code 4 when a test does not hold or none ran.

    \b
    Examples:
      fw-tools verify payload.toml
      fw-tools verify payload.toml -k sequencer --waves --seed 7
    """
    from fw_tools.flow import verify as flow

    schedule = options.schedule(options.folder or flow.default_output(spec))
    report = flow.verify(spec, schedule, repeat_command(options))
    return show(report, schedule.output, each_test=verbose)
