# SPDX-License-Identifier: Apache-2.0
"""What a memory takes, in a form in which two descriptions of it can be compared."""

from collections.abc import Iterator
from dataclasses import replace

from fw_tools.tmr.design import Bits, Memory, WritePort


def memory_sinks(memory: Memory) -> Iterator[tuple[str, Bits]]:
    """Yield what a memory takes, writes of parts of one word joined."""
    for index, (address, _) in enumerate(memory.reads):
        yield f"read{index} address", address
    joined: list[WritePort] = []
    for port in memory.writes:
        before = joined[-1] if joined else None
        if before and _are_parts(before, port):
            joined[-1] = _joined(before, port)
        else:
            joined.append(port)
    for index, port in enumerate(joined):
        written = tuple(
            "0" if enable == "0" else bit
            for bit, enable in zip(port.data, port.enable, strict=True)
        )
        yield f"write{index} clock", (port.clock,)
        yield f"write{index} address", port.address
        yield f"write{index} data", written
        yield f"write{index} enable", port.enable


def _are_parts(one: WritePort, other: WritePort) -> bool:
    same = (one.clock, one.address) == (other.clock, other.address)
    return same and all("0" in pair for pair in zip(one.enable, other.enable, strict=True))


def _joined(one: WritePort, other: WritePort) -> WritePort:
    is_other = [bit != "0" for bit in other.enable]
    chosen = zip(is_other, one.data, other.data, strict=True)
    enables = zip(one.enable, other.enable, strict=True)
    return replace(
        one,
        data=tuple(second if taken else first for taken, first, second in chosen),
        enable=tuple(second if first == "0" else first for first, second in enables),
    )
