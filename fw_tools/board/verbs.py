# SPDX-License-Identifier: Apache-2.0
"""What can be asked of a payload in words: for the command line and for the shell, as lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fw_tools.board.client import PayloadClient
from fw_tools.board.values import register_text, value_text
from fw_tools.errors import InputError, UsageError
from telemetry.common.files import write_atomically

ROW_OCTETS = 16


def ping(client: PayloadClient) -> str:
    """Ping the payload."""
    found = client.ping()
    return (
        f"{client.description.payload}: alive, {found.round_trip_s * 1000:.2f} ms, "
        f"its time {found.payload_time_s:.3f} s"
    )


def get(client: PayloadClient, names: Sequence[str]) -> Iterator[str]:
    """Yield the values of registers and fields; of all registers without names."""
    description = client.description
    wanted = list(names) or [each.name for each in description.parameters if "r" in each.access]
    values = client.get_many(wanted)
    width = max(map(len, wanted), default=0)
    for name in wanted:
        register, field = description.field(name)
        value = values[name]
        told = register_text(register, value) if field is None else value_text(field, value)
        yield f"{name:{width}}  {told}"


def set_(client: PayloadClient, assignments: Sequence[str]) -> None:
    """Set registers and fields by NAME=VALUE."""
    pairs = [assignment.partition("=") for assignment in assignments]
    for name, equals, value in pairs:
        if not (name and equals and value):
            text = f"{name}{equals}{value}"
            raise UsageError(f"{text!r}: expected NAME=VALUE, as control.power_up=on")
    client.set_many({name: value for name, _, value in pairs})


def dump(
    client: PayloadClient, memory: str, address: int, octets: int | None, path: Path | None
) -> Iterator[str]:
    """Yield a memory as rows of octets; or write it to a file and say so."""
    content = client.read_memory(memory, address, octets)
    if path is not None:
        with write_atomically(path, "wb") as stream:
            stream.write(content)
        yield f"{path}: {len(content)} octets of {memory} from {address:#x}"
        return
    for at in range(0, len(content), ROW_OCTETS):
        yield f"{address + at:08x}  {content[at : at + ROW_OCTETS].hex(' ')}"


def load(client: PayloadClient, memory: str, address: int, path: Path) -> str:
    """Write a file to a memory, and have the payload check it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    client.write_memory(memory, address, content)
    return f"{path}: {len(content)} octets to {memory} at {address:#x}"


def number(text: str) -> int:
    """Return a whole number as Python writes it. Raises `UsageError`."""
    try:
        return int(text, 0)
    except ValueError:
        raise UsageError(f"{text!r} is no whole number, as 100 or 0x64") from None
