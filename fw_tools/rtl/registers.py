# SPDX-License-Identifier: Apache-2.0
"""The register map: SystemRDL text, and through PeakRDL the register block and the C header."""

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from fw_tools.ecc.records import MemorySpec
from fw_tools.power.records import RailSpec
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.names import FAULT_CAUSES, RAIL_STATES
from fw_tools.rtl.register_rows import RegisterRow, register_rows
from fw_tools.rtl.render import FORMAT_VERSION, header, render
from fw_tools.spec.records import PacketSpec, Payload

if TYPE_CHECKING:
    from systemrdl.node import RootNode

BITMAPS = (
    ("rails_enabled", "Rails enabled", "Enable pins as driven."),
    ("rails_on", "Rails on", "Rails that are up and settled."),
    ("rails_faulted", "Rails faulted", "A fault was seen since the last clear, acted upon or not."),
    ("rails_late", "Rails late", "Rails whose power good came after the ramp window."),
)
BITMAPS_OFFSET = 0x40
RAILS_PER_BITMAP = 32
RAILS_PER_STATE_WORD = 4
BLOCK_BYTES = 16  # Address step of a memory's registers.
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class RailWord:
    """One register that holds something about several rails."""

    name: str
    suffix_title: str
    offset: int  # Octets.
    rails: tuple[RailSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitmap:
    """One bit per rail, in as many words as that takes."""

    name: str
    title: str
    description: str
    words: tuple[RailWord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBlock:
    """The registers of one memory."""

    spec: MemorySpec
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRegister:
    """The register of one telemetry packet."""

    spec: PacketSpec
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """Where the registers are whose number depends on the description."""

    bitmaps: tuple[Bitmap, ...]
    state_words: tuple[RailWord, ...]
    memories: tuple[MemoryBlock, ...]
    packets: tuple[PacketRegister, ...]
    size: int  # Octets.

    @property
    def address_bits(self) -> int:
        """Bits that address every octet of the block."""
        return (self.size - 1).bit_length()


def elaborate_registers(payload: Payload) -> RegisterMap:
    """Return the register map of `payload`; offsets are octets from the base of the block."""
    bitmap_words = len(_groups(payload.rails, RAILS_PER_BITMAP))
    states = BITMAPS_OFFSET + 4 * bitmap_words * len(BITMAPS)
    state_words = _words("rail_states", payload.rails, states, RAILS_PER_STATE_WORD)
    memories = -(-(states + 4 * len(state_words)) // BLOCK_BYTES) * BLOCK_BYTES
    packets = memories + BLOCK_BYTES * len(payload.memories)
    return RegisterMap(
        bitmaps=tuple(
            Bitmap(
                name=name,
                title=title,
                description=description,
                words=_words(
                    name,
                    payload.rails,
                    BITMAPS_OFFSET + 4 * bitmap_words * number,
                    RAILS_PER_BITMAP,
                ),
            )
            for number, (name, title, description) in enumerate(BITMAPS)
        ),
        state_words=state_words,
        memories=tuple(
            MemoryBlock(spec=memory, offset=memories + BLOCK_BYTES * number)
            for number, memory in enumerate(payload.memories)
        ),
        packets=tuple(
            PacketRegister(spec=packet, offset=packets + 4 * number)
            for number, packet in enumerate(payload.packets)
        ),
        size=packets + 4 * len(payload.packets),
    )


def _words(
    name: str, rails: tuple[RailSpec, ...], offset: int, rails_per_word: int
) -> tuple[RailWord, ...]:
    groups = _groups(rails, rails_per_word)
    is_split = len(groups) > 1 or name == "rail_states"
    return tuple(
        RailWord(
            name=f"{name}_{number}" if is_split else name,
            suffix_title=f" {number}" if is_split else "",
            offset=offset + 4 * number,
            rails=group,
        )
        for number, group in enumerate(groups)
    )


def _groups(items: Sequence[_Item], size: int) -> tuple[tuple[_Item, ...], ...]:
    return tuple(tuple(items[start : start + size]) for start in range(0, len(items), size))


def render_rdl(payload: Payload, digest: str) -> str:
    """Return the register map of `payload` as SystemRDL 2.0."""
    registers = elaborate_registers(payload)
    return render(
        "registers.rdl.j2",
        head=header("//", digest, f"Register map of {payload.name}."),
        payload=payload,
        digest=digest,
        format_version=FORMAT_VERSION,
        rail_states=RAIL_STATES,
        fault_causes=FAULT_CAUSES,
        bitmaps=registers.bitmaps,
        state_words=registers.state_words,
        memories=registers.memories,
        packets=registers.packets,
    )


def render_registers(payload: Payload, digest: str) -> tuple[GeneratedFile, ...]:
    """Return the register map, its SystemVerilog (package, module, waivers) and its C header."""
    block = f"{payload.name}_regs"
    rdl = render_rdl(payload, digest)
    with tempfile.TemporaryDirectory() as folder:
        root = compile_rdl(rdl, Path(folder))
        package, module = _export_block(root, Path(folder))
        c_header = _export_c_header(root, Path(folder) / f"{block}.h")
    head = header("//", digest, f"Registers of {payload.name}, made by PeakRDL from {block}.rdl.")
    return (
        _file(f"regs/{block}.rdl", rdl),
        _file(f"regs/{block}.h", head + _without_provenance(c_header)),
        _file(f"rtl/{block}_pkg.sv", head + _without_provenance(package)),
        _file(f"rtl/{block}.sv", head + _without_provenance(module)),
        _file(f"rtl/{block}.vlt", render("registers.vlt.j2", head=head, block=block)),
    )


def payload_register_rows(payload: Payload, digest: str) -> tuple[RegisterRow, ...]:
    """Return the registers of `payload` as plain rows."""
    with tempfile.TemporaryDirectory() as folder:
        return register_rows(compile_rdl(render_rdl(payload, digest), Path(folder)))


def compile_rdl(rdl: str, folder: Path) -> "RootNode":
    """Compile SystemRDL text; `folder` takes the file that the compiler wants to read."""
    with _streams_kept():
        from peakrdl_regblock.udps import ALL_UDPS
        from systemrdl.compiler import RDLCompiler

    source = folder / "registers.rdl"
    source.write_text(rdl, encoding="utf-8")
    compiler = RDLCompiler()
    for definition in ALL_UDPS:  # PeakRDL asks for its own properties even where none is used.
        compiler.register_udp(definition, soft=False)
    compiler.compile_file(str(source))
    return compiler.elaborate()


@contextmanager
def _streams_kept() -> Iterator[None]:
    """Undo what the import of systemrdl does: it wraps the standard streams for Windows' sake."""
    streams = sys.stdout, sys.stderr
    yield
    sys.stdout, sys.stderr = streams


def _export_block(root: "RootNode", folder: Path) -> tuple[str, str]:
    from peakrdl_regblock.exporter import RegblockExporter

    from fw_tools.rtl.apb4 import StatelessApb4

    RegblockExporter().export(
        root,
        str(folder),
        cpuif_cls=StatelessApb4,
        default_reset_activelow=True,
        default_reset_async=True,
        err_if_bad_addr=True,
        err_if_bad_rw=True,
    )
    block = root.top.inst_name
    return (folder / f"{block}_pkg.sv").read_text(), (folder / f"{block}.sv").read_text()


def _export_c_header(root: "RootNode", path: Path) -> str:
    from peakrdl_cheader.exporter import CHeaderExporter

    CHeaderExporter().export(root, path=str(path))
    return _with_code_words(path.read_text(), root)


def _with_code_words(c_header: str, root: "RootNode") -> str:
    """Add below each field that software writes as a code word what its words are."""
    from systemrdl.node import FieldNode

    for field in root.top.descendants():
        codes = field.get_property("encode") if isinstance(field, FieldNode) else None
        if isinstance(field, FieldNode) and field.is_sw_writable and codes is not None:
            prefix = "#define " + "__".join(field.get_path_segments()).upper()
            reset = re.search(rf"^{prefix}_reset .*\n", c_header, re.MULTILINE)
            assert reset is not None, f"the C header has no reset value of {field.get_path()}"
            words = "".join(f"{prefix}__{code.name.upper()} {code.value:#x}\n" for code in codes)
            c_header = c_header[: reset.end()] + words + c_header[reset.end() :]
    return c_header


def _without_provenance(text: str) -> str:
    """Drop the head that names the tool and its address, and blanks at the ends of lines."""
    body = re.sub(r"\A(//.*\n)+\s*", "", text)
    return "".join(line.rstrip() + "\n" for line in body.rstrip().splitlines())


def _file(path: str, text: str) -> GeneratedFile:
    return GeneratedFile(PurePosixPath(path), text)
