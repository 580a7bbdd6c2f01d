# SPDX-License-Identifier: Apache-2.0
"""`fw-tools check`: is this description sound, and what does it hold?"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.spec.records import Payload


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
def check(spec: Path) -> ExitCode:
    """Name every mistake in the payload description SPEC, or show what it holds.

    All mistakes are named in one run, each with its line (exit code 3). Nothing is written.

    \b
    Example:
      fw-tools check examples/compute_node/payload.toml
    """
    from fw_tools.toolchain import require_extra

    require_extra("sim")
    from fw_tools.spec.load import load_payload

    for line in _summary(load_payload(spec)):
        click.echo(line)
    return ExitCode.DONE


def _summary(payload: "Payload") -> list[str]:
    lines = [f"{payload.name}: no mistakes", f"  clock    {payload.clock_hz // 1_000_000} MHz"]
    return [
        *lines,
        *_memories(payload),
        *_rails(payload),
        *(
            f"  packet   {packet.name}: APID {packet.apid}, {len(packet.fields)} fields, "
            f"{packet.octets} octets every {packet.period_us / 1e6:g} s"
            for packet in payload.packets
        ),
        *(f"  bench    {bench.name}" for bench in payload.benches),
    ]


def _memories(payload: "Payload") -> list[str]:
    from fw_tools.ecc.hsiao import hsiao

    lines = []
    for memory in payload.memories:
        code = hsiao(memory.data_bits)
        pass_ms = memory.words * memory.scrub_interval_us / 1000
        lines.append(
            f"  memory   {memory.name}: {memory.words} x {memory.data_bits} bits, {memory.code} "
            f"({code.codeword_bits},{code.data_bits}), scrubbed every {pass_ms:g} ms"
        )
    return lines


def _rails(payload: "Payload") -> list[str]:
    from fw_tools.power.graph import dependency_graph, power_up_levels

    if not payload.rails:
        return ["  rails    none"]
    levels = power_up_levels(dependency_graph(payload.rails))
    kept = [rail.name for rail in payload.rails if rail.keep_alive]
    lines = [f"  rails    {len(payload.rails)}, in this order:"]
    for number, level in enumerate(levels, start=1):
        lines.append(f"    {number}. {', '.join(level)}")
    if kept:
        lines.append(f"    kept alive: {', '.join(kept)}")
    return lines
