# SPDX-License-Identifier: Apache-2.0
"""Control and status: PeakRDL's register block behind plain ports, its flags kept as code words."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import COUNTER_CELLS, library_files
from fw_tools.rtl.ports import align_connections
from fw_tools.rtl.registers import RegisterMap, elaborate_registers
from fw_tools.rtl.render import header, render
from fw_tools.spec.records import Payload

# Registers and fields of a memory, and the status signal that each shows.
MEMORY_FIELDS = (
    ("errors.corrected", "corrected", 16),
    ("errors.uncorrectable", "uncorrectable", 16),
    ("scrub.passes", "scrub_passes", 16),
    ("scrub.stuck_words", "stuck", 16),
    ("last_error.address", "last_error_address", 16),
    ("last_error.stuck", "is_stuck", 1),
    ("last_error.init_done", "init_done", 1),
)
RAIL_SIGNALS = (
    ("first_fault.rail", "first_fault_rail", 8),
    ("first_fault.cause", "first_fault_cause", 8),
    ("state_upsets.corrected", "upsets_corrected", 16),
    ("state_upsets.uncorrectable", "upsets_uncorrectable", 16),
)


def control_status_module(payload: Payload) -> str:
    """Return the name of the module with the registers of `payload`."""
    return f"{payload.name}_csr"


def render_control_status(payload: Payload, digest: str) -> tuple[GeneratedFile, ...]:
    """Return the module around PeakRDL's register block, and its library cells."""
    registers = elaborate_registers(payload)
    module = control_status_module(payload)
    text = render(
        "csr.sv.j2",
        head=header("//", digest, f"Control and status registers of {payload.name}."),
        payload=payload,
        module=module,
        block=f"{payload.name}_regs",
        address_bits=registers.address_bits,
        rail_count=len(payload.rails),
        rail_signals=RAIL_SIGNALS if payload.rails else (),
        memory_fields=MEMORY_FIELDS,
        bitmaps=registers.bitmaps,
        rail_bits=tuple(_rail_bits(registers)),
    )
    cells = library_files("guarded_flag", *COUNTER_CELLS)
    return (*cells, GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), align_connections(text)))


def _rail_bits(registers: RegisterMap) -> Iterator[tuple[str, str]]:
    """Yield each rail field of the block and the bits of the port that it shows."""
    for bitmap in registers.bitmaps:
        rails = [(word.name, rail.name) for word in bitmap.words for rail in word.rails]
        for number, (word, rail) in enumerate(rails):
            yield f"{word}.{rail}_rail", f"{bitmap.name}_i[{number}]"
    rails = [(word.name, rail.name) for word in registers.state_words for rail in word.rails]
    for number, (word, rail) in enumerate(rails):
        yield f"{word}.{rail}_state", f"rail_state_i[{8 * number + 7}:{8 * number}]"
