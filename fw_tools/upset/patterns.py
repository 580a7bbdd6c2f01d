# SPDX-License-Identifier: Apache-2.0
"""Every pattern of a few flipped inputs of a design without state, as of a decoder."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fw_tools.errors import InputError
from fw_tools.upset.engine import Array, Outcome
from fw_tools.upset.machine import Machine


def flip_inputs(
    machine: Machine, library: Path, base: Array, flips: int, bits: Sequence[int] | None = None
) -> dict[Outcome, int]:
    """Return how often each outcome comes of flipping `flips` bits of the inputs, in every way.

    `base` is uint8, every input bit without a flip; `bits` are those that may be flipped, by
    default all. Outcomes are those of one clock: silent, detected, outage, corrected, masked.

    Raises:
        InputError: the machine stores something.
        ValueError: fewer bits than flips, none, or a base of another width.
    """
    if machine.flip_flops or machine.memories:
        raise InputError(
            f"{machine.top}: stores bits; patterns of inputs are for designs that do not"
        )
    width = sum(len(nets) for nets in machine.inputs.values())
    chosen = np.ascontiguousarray(range(width) if bits is None else sorted(bits), np.uint32)
    if not 0 < flips <= len(chosen) or base.shape != (width,):
        raise ValueError(f"{flips} flips of {len(chosen)} bits of {width} inputs")
    start = np.ascontiguousarray(base, np.uint8)
    counts = np.zeros(len(Outcome), np.uint64)
    run = ctypes.CDLL(str(library)).patterns_run
    number, pointer = ctypes.c_uint32, ctypes.c_void_p
    run.argtypes = [pointer, pointer, number, number, pointer]
    run.restype = None
    run(start.ctypes.data, chosen.ctypes.data, len(chosen), flips, counts.ctypes.data)
    return {outcome: int(counts[outcome]) for outcome in Outcome}
