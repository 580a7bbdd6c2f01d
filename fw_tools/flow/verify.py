# SPDX-License-Identifier: Apache-2.0
"""A payload description to verified gateware: generate, lint, run every bench, flip bits, tell."""

from dataclasses import replace
from pathlib import Path

from fw_tools.flow.benches import payload_benches
from fw_tools.flow.run import prepare_output, run_to_report
from fw_tools.flow.upset_sample import Sampling
from fw_tools.report.records import RunReport
from fw_tools.rtl.emit import emit
from fw_tools.rtl.payload import payload_digest, render_payload, source_files
from fw_tools.rtl.payload_top import whole_module
from fw_tools.sim.scheduler import ScheduleOptions, Task, require_pattern
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import BenchSpec, Payload
from fw_tools.toolchain import require_simulation

GENERATED = "generated"  # Below the output folder.
CONFIGURATION = "configuration"
GATEWARE = "gateware"  # Name of the bench that only lints the whole.


def default_output(spec: Path) -> Path:
    """Return where `verify` writes unless told: build/<payload name>, below the current folder."""
    return Path("build") / load_payload(spec).name


def verify(spec: Path, options: ScheduleOptions, command: str) -> RunReport:
    """Verify the payload described in `spec`; the user's own benches run beside ours.

    `command` is what repeats the run.

    Raises:
        InputError: the description or the output folder cannot be used.
        MissingToolError: a tool that builds benches is absent.
        VerificationError: nothing ran.
    """
    require_pattern(options.pattern)
    payload = load_payload(spec)
    require_simulation()
    prepare_output(options.output)
    options = replace(options, output=options.output.absolute())
    generated = options.output / GENERATED
    emit(render_payload(payload), generated, payload_digest(payload))
    ours = payload_benches(payload, generated, options.output / CONFIGURATION)
    tasks = [Task(_whole(payload, generated)), *map(Task, ours)]
    tasks += [Task(bench, spec.absolute().parent) for bench in payload.benches]
    sampling = Sampling(
        payload=payload,
        generated=source_files(generated),
        output=options.output,
        seed=options.seed,
        pattern=options.pattern,
    )
    return run_to_report(f"Verification of {payload.name}", tasks, options, command, sampling)


def _whole(payload: Payload, generated: Path) -> BenchSpec:
    """Return the bench without tests that lints the whole payload under its top."""
    return BenchSpec(
        name=GATEWARE,
        top=whole_module(payload),
        test_modules=(),
        sources=source_files(generated),
        waivers=tuple(sorted(generated.rglob("*.vlt"))),
        lint=True,
    )
