# SPDX-License-Identifier: Apache-2.0
"""The command `fw-tools`."""

import click

from telemetry.common.command import LazyGroup, run

COMMANDS = {
    "init": ("fw_tools.cli.init:init", "Write a new payload project, or add what yours lacks."),
    "check": ("fw_tools.cli.check:check", "Name every mistake in a payload description."),
    "schema": ("fw_tools.cli.schema:schema", "Print the JSON Schema of payload.toml for editors."),
    "generate": ("fw_tools.cli.generate:generate", "Description to SystemVerilog and telemetry."),
    "docs": ("fw_tools.cli.docs:docs", "Write the register page of a payload."),
    "verify": ("fw_tools.cli.verify:verify", "Generate, lint, build and run every bench."),
    "bench": ("fw_tools.cli.bench:bench", "Run your own cocotb bench on your own RTL."),
    "twin": (
        "fw_tools.cli.twin:twin",
        "Run a payload in simulation, as a board that is plugged in.",
    ),
    "faultline": (
        "fw_tools.cli.faultline:faultline",
        "Disturb a serial line between any two ports.",
    ),
    "upset": ("fw_tools.cli.upset:upset", "Flip every stored bit of a design and class it."),
    "build": ("fw_tools.cli.build:build", "Description to the bitstream of a board."),
    "export": ("fw_tools.cli.export:export", "Description to what another tool's flow takes."),
    "tmr": ("fw_tools.cli.tmr:tmr", "A module of your own in three replicas, proven."),
    "ecc": ("fw_tools.cli.ecc:ecc", "Show and emit error-correcting codes."),
    "boards": (
        "fw_tools.cli.boards:boards",
        "Show the boards there are; write a new one; prove what one can do.",
    ),
    "ports": ("fw_tools.cli.boards:ports", "Show the serial ports of this machine."),
    "ping": ("fw_tools.cli.payload:ping", "Ask a payload whether it is alive."),
    "get": ("fw_tools.cli.payload:get", "Show registers and fields of a payload."),
    "set": ("fw_tools.cli.payload:set_", "Set registers and fields of a payload."),
    "dump": ("fw_tools.cli.payload:dump", "Read a memory of a payload."),
    "events": ("fw_tools.cli.payload:events", "Show the events that a payload has kept."),
    "monitor": ("fw_tools.cli.payload:monitor", "Show every report of a payload as it comes."),
    "image": ("fw_tools.cli.image:image", "Make an image for a boot slot of a payload."),
    "flash": ("fw_tools.cli.flash:flash", "Write an image to a payload, and boot it."),
    "shell": ("fw_tools.cli.shell:shell", "Talk to a payload, its reports scrolling by."),
    "selftest": ("fw_tools.cli.selftest:selftest", "Run the hardware tests on a payload."),
    "compare": ("fw_tools.cli.selftest:compare", "Compare the records of two such runs."),
    "doctor": (
        "fw_tools.cli.doctor:doctor",
        "Show every tool, its version and where it comes from.",
    ),
}

HELP = """From one payload description to verified gateware and decoded telemetry.

\b
Three ways in:
  fw-tools bench --top fifo -m test_fifo fifo.sv   run your own cocotb bench
  fw-tools init my_payload                         start a payload of your own
  fw-telemetry decode dump.bin --definition d.py:P read a telemetry dump

\b
Exit codes:
  0 done                      5 tool, extra or board missing
  1 our bug                   6 finished, but the input was damaged
  2 wrong arguments           7 board or link failed
  3 input unusable          130 interrupted
  4 verification failed
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="fw-tools", prog_name="fw-tools")
def fw_tools() -> None:
    """Group all subcommands."""


def run_command_line() -> int:
    """Run the command line of this process and return its exit code."""
    return run(fw_tools, "fw-tools")
