# SPDX-License-Identifier: Apache-2.0
"""A protected memory to SystemVerilog: encoder, decoder, storage and control in one module."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.ecc import LinearCode, hsiao
from fw_tools.ecc.records import MemorySpec
from fw_tools.errors import InputError
from fw_tools.rtl.codec import codec_name, render_codec
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import COUNTER_CELLS, library_files
from fw_tools.rtl.render import header, render
from fw_tools.spec.hardening import Harden

MEMORY_CELLS = (
    "harden_pkg",
    "ecc_ram_pkg",
    *COUNTER_CELLS,
    "fsm_reg",
    "tick_gen",
    "ecc_ram_array",
    "ecc_ram_ctrl",
)
MAX_INTERVAL_CLOCKS = (1 << 32) - 1  # An `int unsigned` parameter.


@dataclass(frozen=True, slots=True)
class _Model:
    """All that the text of a memory depends on."""

    name: str  # Of the module.
    memory: MemorySpec
    code: LinearCode
    interval_clocks: int
    harden: Harden


def scrub_interval_clocks(memory: MemorySpec, clock_hz: int) -> int:
    """Return the clocks from one visit of the scrubber to the next, rounded, at least one.

    Raises:
        InputError: the interval is too long to count.
    """
    clocks = max(1, round(memory.scrub_interval_us * clock_hz / 1_000_000))
    if clocks > MAX_INTERVAL_CLOCKS:
        longest = MAX_INTERVAL_CLOCKS * 1_000_000 // clock_hz
        raise InputError(
            f"memory {memory.name}: a scrub interval of {memory.scrub_interval_us} us is "
            f"{clocks} clocks; at {clock_hz} Hz it must be at most {longest} us"
        )
    return clocks


def memory_module(payload_name: str, memory: MemorySpec) -> str:
    """Return the name of the module."""
    return f"{payload_name}_{memory.name}"


def render_memory(
    payload_name: str, memory: MemorySpec, clock_hz: int, harden: Harden = Harden.FSM
) -> tuple[GeneratedFile, ...]:
    """Return the module `<payload>_<memory>`, its encoder and decoder, and the cells they use.

    Raises:
        CodeError: the data width is out of range.
        InputError: the scrub interval is too long to count.
    """
    name = memory_module(payload_name, memory)
    interval_clocks = scrub_interval_clocks(memory, clock_hz)
    model = _Model(name, memory, hsiao(memory.data_bits), interval_clocks, harden)
    text = render(
        "memory.sv.j2",
        head=header("//", model_digest(model), f"ECC memory {memory.name} of {payload_name}."),
        codec=codec_name(model.code),
        address_bits=(memory.words - 1).bit_length(),
        model=model,
    )
    module = GeneratedFile(PurePosixPath(f"rtl/{name}.sv"), text)
    return (*library_files(*MEMORY_CELLS), *render_codec(memory.data_bits), module)
