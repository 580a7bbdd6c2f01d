# SPDX-License-Identifier: Apache-2.0
"""Recorded inputs of a design: a file of numpy's with an array for each input, by its name."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fw_tools.errors import InputError
from fw_tools.upset.engine import Array
from fw_tools.upset.machine import Machine

_MOST_BITS = 64  # Of a number; wider inputs are given bit by bit.


def recorded_inputs(path: Path, machine: Machine) -> Array:
    """Return a bit for each clock and input bit of the file, as `numpy.savez` writes it.

    Each array has a number for each clock, or a row of 0 and 1, the lowest bit first. Raises
    `InputError` for a file that is not of this design's inputs.
    """
    arrays = _read(path)
    widths = {name: len(nets) for name, nets in machine.inputs.items()}
    missing, foreign = sorted(set(widths) - set(arrays)), sorted(set(arrays) - set(widths))
    if missing or foreign:
        said = [f"has no {', '.join(missing)}"] if missing else []
        said += [f"has {', '.join(foreign)}, which is no input"] if foreign else []
        raise InputError(
            f"{path}: stimulus of another design: it {' and '.join(said)}; "
            f"{machine.top} has {', '.join(widths) or 'none'}"
        )
    columns = [_bits(path, name, arrays[name], width) for name, width in widths.items()]
    clocks = {len(each) for each in columns}
    if len(clocks) > 1:
        raise InputError(
            f"{path}: its inputs are of {' and '.join(map(str, sorted(clocks)))} clocks; "
            "give each a value in every clock"
        )
    return np.ascontiguousarray(np.concatenate(columns, axis=1), np.uint8)


def _read(path: Path) -> Mapping[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, AttributeError, TypeError):
        raise InputError(
            f"{path}: no recorded inputs: give a file of numpy.savez with an array for each input"
        ) from None


def _bits(path: Path, name: str, values: Array, width: int) -> Array:
    is_rows = values.ndim == 2
    highest = 1 if is_rows else (1 << width) - 1
    has_shape = (
        values.shape[1:] == (width,) if is_rows else values.ndim == 1 and width <= _MOST_BITS
    )
    is_whole = values.dtype.kind in "bui"
    if not (
        has_shape and is_whole and (not values.size or 0 <= values.min() <= values.max() <= highest)
    ):
        number = f"a number below 2^{width} or " if width <= _MOST_BITS else ""
        raise InputError(
            f"{path}: {name} has {width} bits: in each clock {number}{width} times 0 or 1; this is "
            f"{values.dtype} of shape {values.shape}"
            + (f" with {values.min()} to {values.max()}" if is_whole and values.size else "")
        )
    if is_rows:
        return values.astype(np.uint8)
    places = np.arange(width, dtype=np.uint64)
    return ((values.astype(np.uint64)[:, None] >> places) & np.uint64(1)).astype(np.uint8)
