# SPDX-License-Identifier: Apache-2.0
"""The command `fw-telemetry`. Importing it loads click and nothing heavier."""

import sys

import click

from telemetry.common.command import LazyGroup, run
from telemetry.common.interrupt import interrupts_end_input

_HELP = """Read spacecraft telemetry: dumps in, named values out.

You need a dump of CCSDS space packets and a definition that says what is in them, written in
construct (https://construct.readthedocs.io) or as a table (CSV).

\b
Without a definition, begin with a first one:
  fw-telemetry init pass17.bin -o mission.py

\b
Look at the first packets, then write all of them:
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS -o pass17.csv

\b
Exit codes:
  0    done, all input was good
  1    our bug
  2    wrong arguments
  3    input unusable: no packet came out; or the disk is full
  5    an extra is missing; the message says how to get it
  6    done and written, but input was damaged or packets are missing
  7    the link to the source of the dump failed
  130  interrupted; what was done is kept, nothing half written stays behind
"""


@click.group(
    cls=LazyGroup,
    help=_HELP,
    lazy={
        "init": ("telemetry.cli.init:init", "Write a first definition from what a dump holds."),
        "decode": ("telemetry.cli.decode:decode", "Decode a dump to CSV, JSON lines or Parquet."),
        "packets": ("telemetry.cli.packets:packets", "List packets: place, APID, count, CRC."),
        "inspect": ("telemetry.cli.inspect:inspect", "Show one packet field by field."),
        "explain": ("telemetry.cli.explain:explain", "Say what a byte is, and why (not) decoded."),
        "stats": ("telemetry.cli.stats:stats", "Tell range, mean, last value, violated limits."),
        "plot": ("telemetry.cli.plot:plot", "Write a page with plots of some columns."),
        "report": ("telemetry.cli.report:report", "Write a page with plots, limits and gaps."),
        "build": ("telemetry.cli.build:build", "Build packets from values: the reverse of decode."),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="fw-tools", prog_name="fw-telemetry")
def cli() -> None:
    """Group the subcommands."""


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(cli, "fw-telemetry", within=interrupts_end_input))
