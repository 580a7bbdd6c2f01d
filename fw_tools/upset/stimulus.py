# SPDX-License-Identifier: Apache-2.0
"""What drives a machine: its inputs in every clock, and what it stores in the first."""

from pathlib import Path

import numpy as np

from fw_tools.errors import InputError
from fw_tools.upset.engine import Array
from fw_tools.upset.machine import Machine
from fw_tools.upset.places import bits_stored
from fw_tools.upset.recorded import recorded_inputs

RESET_CLOCKS = 4


def start_state(machine: Machine, seed: int) -> Array:
    """Return what is stored at the start: at random, but memories that the source fills as it does.

    Whatever has a reset is reset in the first clock.
    """
    initial = np.random.default_rng(seed).integers(0, 2, bits_stored(machine), np.uint8)
    at = len(machine.flip_flops)
    for memory in machine.memories:
        for bit, value in enumerate(memory.initial):
            if value in "01":
                initial[at + bit] = int(value)
        at += memory.width * memory.depth
    return initial


def inputs_of(
    machine: Machine, clocks: int, seed: int, recorded: Path | None, *, is_feed_forward: bool
) -> tuple[Array, str]:
    """Return a bit for each clock and input, and in words where they come from.

    Raises `InputError` for inputs that something outside of the design would have to answer, unless
    nothing does, and for a file that holds those of another design.
    """
    bits = [net for nets in machine.inputs.values() for net in nets]
    resets = {each.reset for each in machine.flip_flops if each.reset is not None}
    driven = {net for net in bits if net not in resets}
    if recorded is not None:
        values = recorded_inputs(recorded, machine)
        words = f"inputs recorded in {recorded.name}"
    else:
        values = np.random.default_rng([seed, 1]).integers(0, 2, (clocks, len(bits)), np.uint8)
        words = "random inputs" if driven else "the world inside the top"
        for index, net in enumerate(bits):
            if net in resets:
                values[:, index] = np.arange(clocks) >= RESET_CLOCKS
    if driven and not is_feed_forward:
        names = [name for name, nets in machine.inputs.items() if set(nets) & driven]
        raise InputError(
            f"{machine.top}: inputs {', '.join(names[:6])}: who drives them does not see what an "
            "upset does. Wire a top around the design that answers it, or say with --feed-forward "
            "that nothing answers, and inputs are random, or those of --inputs"
        )
    return values, words
