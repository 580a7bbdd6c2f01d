# SPDX-License-Identifier: Apache-2.0
"""A whole payload to text: every file of the output folder except its list of files."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fw_tools.rtl.control_status import render_control_status
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.memory import render_memory
from fw_tools.rtl.packetiser import render_packetiser
from fw_tools.rtl.payload_top import render_payload_top
from fw_tools.rtl.registers import render_registers
from fw_tools.rtl.render import header
from fw_tools.rtl.sequencer import render_sequencer
from fw_tools.rtl.telemetry_module import render_telemetry_module
from fw_tools.rtl.top import render_top
from fw_tools.spec.hardening import SEQUENCER, UpsetBound
from fw_tools.spec.records import Payload

FILE_LIST = PurePosixPath("filelist.f")


def payload_digest(payload: Payload) -> str:
    """Return the digest (hex) of what the gateware depends on: no benches, no bounds of upsets."""
    levels = tuple(replace(each, bound=UpsetBound()) for each in payload.hardenings)
    return model_digest(replace(payload, benches=(), hardenings=levels))


def render_payload(payload: Payload) -> tuple[GeneratedFile, ...]:
    """Return every generated file of `payload`, in compile order, the same on every machine."""
    digest = payload_digest(payload)
    files: list[GeneratedFile] = []
    for memory in payload.memories:
        harden = payload.hardening(memory.name).harden
        files += render_memory(payload.name, memory, payload.clock_hz, harden)
    if payload.rails:
        harden = payload.hardening(SEQUENCER).harden
        files += render_sequencer(payload.name, payload.rails, payload.clock_hz, harden)
    files += render_registers(payload, digest)
    files += render_control_status(payload, digest)
    for packet in payload.packets:
        files += render_packetiser(payload, packet, digest)
    files += render_top(payload, digest)
    files += render_payload_top(payload, digest, files)
    files += render_telemetry_module(payload, digest)
    merged = _merged(files)
    return (*merged, _file_list(payload, merged, digest))


def source_files(folder: Path) -> tuple[Path, ...]:
    """Return the SystemVerilog sources of a generated folder in compile order, absolute."""
    lines = (folder / FILE_LIST).read_text(encoding="utf-8").splitlines()
    return tuple((folder / line).absolute() for line in lines if not line.startswith("//"))


def _merged(files: Iterable[GeneratedFile]) -> tuple[GeneratedFile, ...]:
    """Keep one of the files that two parts need alike."""
    kept: dict[PurePosixPath, GeneratedFile] = {}
    for file in files:
        if kept.setdefault(file.path, file) != file:
            raise ValueError(f"two different texts for {file.path}")
    return tuple(kept.values())


def _file_list(payload: Payload, files: Iterable[GeneratedFile], digest: str) -> GeneratedFile:
    sources = [str(file.path) for file in files if file.path.suffix == ".sv"]
    sources.sort(key=lambda path: not path.endswith("_pkg.sv"))  # Packages first; stable.
    head = header("//", digest, f"Sources of {payload.name} in compile order.")
    return GeneratedFile(FILE_LIST, head + "".join(f"{path}\n" for path in sources))
