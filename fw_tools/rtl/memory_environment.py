# SPDX-License-Identifier: Apache-2.0
"""An ECC memory and a user of it, synthesisable, so that every faulty machine has its own."""

from pathlib import PurePosixPath

from fw_tools.ecc.records import MemorySpec
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.environment import Environment
from fw_tools.rtl.memory import memory_module
from fw_tools.rtl.render import header, render

_RANDOM_BITS = 64
_SCRUB_INTERVAL_CLOCKS = 8
_VISITS = 3  # Of every word by the scrubber, while flips go on.


def render_memory_environment(payload_name: str, memory: MemorySpec) -> Environment:
    """Return a payload's memory with a user; its scrubber goes faster than in hardware."""
    module = f"{payload_name}_{memory.name}_environment"
    address_bits = max((memory.words - 1).bit_length(), 1)
    low = _RANDOM_BITS - address_bits
    address = f"random_q[{_RANDOM_BITS - 1}:{low}]"
    if memory.words != 1 << address_bits:
        address = f"{address} % {address_bits}'d{memory.words}"
    text = render(
        "memory_environment.sv.j2",
        head=header("//", model_digest(memory), f"World of the memory {memory.name}."),
        name=memory.name,
        module=module,
        dut=memory_module(payload_name, memory),
        data_bits=memory.data_bits,
        address_bits=address_bits,
        address=address,
        copies=-(-memory.data_bits // _RANDOM_BITS),
        scrub_interval_clocks=_SCRUB_INTERVAL_CLOCKS,
    )
    visit = memory.words * (_SCRUB_INTERVAL_CLOCKS + 2)
    return Environment(
        file=GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), text),
        module=module,
        stimulus="a user who reads and writes at random, and the scrubber",
        clocks=memory.words + _VISITS * visit,
        horizon=2 * visit,
        hang_after=visit,
    )
