# SPDX-License-Identifier: Apache-2.0
"""What the examples take of the FPGA that they are for, and how fast they may run."""

import tempfile
from functools import partial
from pathlib import Path

from rows import ROOT, Case, Measurement

from fw_tools.flow.generate import generate
from fw_tools.fpga.harness import harness_flip_flops, harness_module, render_harness
from fw_tools.fpga.parts import ECP5_25F, ICE40UP5K, Part
from fw_tools.fpga.place import Fit, place_and_route
from fw_tools.rtl.payload import source_files
from fw_tools.spec.load import load_payload

NO_FLASH, FLASH = "[link]\n", '[link]\nflash = "4MiB"\nslot = "512KiB"\n'


def fit(case: str, example: str, part: Part, extra: str = NO_FLASH) -> list[Measurement]:
    """Return the sizes and the highest clock of an example, without its harness's flip-flops.

    `extra` takes the place of the first line of its table [link].
    """
    text = (ROOT / "examples" / example / "payload.toml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = folder / "payload.toml"
        spec.write_text(text.replace(NO_FLASH, extra), encoding="utf-8")
        payload = load_payload(spec)
        generate(spec, folder / "generated")
        harness = folder / "harness.sv"
        harness.write_text(render_harness(payload))
        sources = [*source_files(folder / "generated"), harness]
        clock_mhz = payload.clock_hz / 1e6
        found = place_and_route(sources, harness_module(payload), part, clock_mhz)
    return _measurements(case, found, harness_flip_flops(payload))


def _measurements(case: str, found: Fit, of_harness: int) -> list[Measurement]:
    sizes = {
        "logic_cells": found.logic_cells,
        "flip_flops": found.flip_flops - of_harness,
        "block_rams": found.block_rams,
    }
    return [
        *(
            Measurement(case=f"{case}_{name}", ours=count, unit="", better="lower")
            for name, count in sizes.items()
        ),
        Measurement(case=f"{case}_fmax", ours=found.fmax_mhz, unit="MHz", better="higher"),
    ]


CASES: dict[str, Case] = {
    "link/full_ecp5_25f": partial(fit, "link/full_ecp5_25f", "compute_node", ECP5_25F),
    "link/small_ice40up5k": partial(fit, "link/small_ice40up5k", "breaker_mini", ICE40UP5K),
    "link/small_flash_ice40up5k": partial(
        fit, "link/small_flash_ice40up5k", "breaker_mini", ICE40UP5K, FLASH
    ),
}
