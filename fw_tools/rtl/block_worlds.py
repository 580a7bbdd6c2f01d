# SPDX-License-Identifier: Apache-2.0
"""The blocks of a payload, each with the world that it works in."""

from collections.abc import Sequence

from fw_tools.errors import InputError
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.environment import Environment
from fw_tools.rtl.memory import render_memory
from fw_tools.rtl.memory_environment import render_memory_environment
from fw_tools.rtl.power_environment import render_power_environment
from fw_tools.rtl.sequencer import render_sequencer
from fw_tools.spec.hardening import SEQUENCER
from fw_tools.spec.records import Payload

_SCALED_CLOCKS = 20_000  # A power environment is scaled to about so many.
_SCALES = (1, 2, 4, 10, 20, 40, 100, 200, 400, 1000)


def blocks_of(payload: Payload) -> list[str]:
    """Return the names of the blocks that have a world: each memory, and the sequencer."""
    return [memory.name for memory in payload.memories] + [SEQUENCER] * bool(payload.rails)


def block_world(payload: Payload, block: str) -> tuple[Sequence[GeneratedFile], Environment]:
    """Return the gateware of a block in compile order, and its world.

    Raises `InputError` where there is no such block.
    """
    harden = payload.hardening(block).harden
    if block not in blocks_of(payload):
        known = ", ".join(blocks_of(payload))
        raise InputError(f"{payload.name}: no block {block}; there are: {known}")
    if block == SEQUENCER:
        files = render_sequencer(payload.name, payload.rails, payload.clock_hz, harden)
        return files, _power_world(payload)
    memory = next(memory for memory in payload.memories if memory.name == block)
    return (
        render_memory(payload.name, memory, payload.clock_hz, harden),
        render_memory_environment(payload.name, memory),
    )


def _power_world(payload: Payload) -> Environment:
    worlds = (render_power_environment(payload.name, payload.rails, each) for each in _SCALES)
    world = next((each for each in worlds if each.clocks <= _SCALED_CLOCKS), None)
    if world is None:
        raise InputError(f"{payload.name}: its rails take too long to come up in simulation")
    return world
