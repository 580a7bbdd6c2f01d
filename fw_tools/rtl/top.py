# SPDX-License-Identifier: Apache-2.0
"""The payload top: everything that the description asks for, wired together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.ecc import hsiao
from fw_tools.ecc.records import MemorySpec
from fw_tools.rtl.control_status import (
    MEMORY_FIELDS,
    RAIL_SIGNALS,
    control_status_module,
)
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import library_files
from fw_tools.rtl.memory import memory_module
from fw_tools.rtl.packetiser import packet_module
from fw_tools.rtl.ports import Port, PortGroup, align_connections, port_list
from fw_tools.rtl.registers import BITMAPS, elaborate_registers
from fw_tools.rtl.render import header, render
from fw_tools.spec.records import FieldSpec, PacketSpec, Payload
from fw_tools.spec.sources import BITMAP_SOURCES, INPUT_PREFIX

# Signals of the top that carry fixed sources of a field.
SIGNALS = {
    "time.seconds": "coarse_time",
    "rails.enabled": "rails_enabled",
    "rails.on": "rails_on",
    "rails.faulted": "rails_faulted",
    "rails.late": "rails_late",
    "rails.first_fault_rail": "first_fault_rail",
    "rails.first_fault_cause": "first_fault_cause",
    "rails.upsets_corrected": "upsets_corrected",
    "rails.upsets_uncorrectable": "upsets_uncorrectable",
    "rails.halted": "halted",
}
STREAM_PORTS = (("valid_o", 1), ("ready_i", 1), ("data_o", 8), ("last_o", 1))
# A payload without rails still answers what a packet may ask about them: nothing is on or wrong.
WITHOUT_RAILS = {"rails.first_fault_rail": "8'hff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryParts:
    """A memory as the top wires it."""

    spec: MemorySpec
    module: str
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketParts:
    """A packet as the top wires it."""

    spec: PacketSpec
    module: str
    connections: tuple[tuple[str, str], ...]  # Field, expression.


def top_module(payload: Payload) -> str:
    """Return the name of the top module of `payload`."""
    return f"{payload.name}_top"


def render_top(payload: Payload, digest: str) -> tuple[GeneratedFile, ...]:
    """Return the top module of `payload`, and the library cells that it uses itself."""
    module = top_module(payload)
    memories = [_memory_parts(payload, memory) for memory in payload.memories]
    text = render(
        "top.sv.j2",
        head=header("//", digest, f"The payload {payload.name}."),
        payload=payload,
        module=module,
        csr=control_status_module(payload),
        ports=port_list(port_groups(payload)),
        rail_count=len(payload.rails),
        bitmaps=[name for name, _, _ in BITMAPS],
        rail_signals=[(signal, bits) for _, signal, bits in RAIL_SIGNALS],
        memory_signals=[(signal, bits) for _, signal, bits in MEMORY_FIELDS],
        memories=memories,
        packets=[_packet_parts(payload, packet) for packet in payload.packets],
    )
    cells = library_files("cuc_time", "periodic_trigger")
    return (*cells, GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), align_connections(text)))


def port_groups(payload: Payload) -> list[PortGroup]:
    """Return the ports of the top module of `payload`."""
    return [
        PortGroup("", (Port("clk_i"), Port("rst_ni"))),
        PortGroup("Registers, APB4 without wait states.", _bus_ports(payload)),
        *board_port_groups(payload),
        *_stream_groups(payload),
        PortGroup("To the link.", link_ports(payload)),
    ]


def board_port_groups(payload: Payload) -> list[PortGroup]:
    """Return the ports that lead to the board and to the user's own logic."""
    return [
        PortGroup("Rails, by the pins of the description.", tuple(_rail_ports(payload))),
        *_memory_groups(payload),
        _input_group(payload),
    ]


def _memory_groups(payload: Payload) -> Iterator[PortGroup]:
    for memory in payload.memories:
        title = f"Memory {memory.name}: {memory.words} words of {memory.data_bits} bits."
        ports = _memory_parts(payload, memory).ports
        named = (Port(f"{memory.name}_{port.name}", port.bits, port.remark) for port in ports)
        yield PortGroup(title, tuple(named))


def _input_group(payload: Payload) -> PortGroup:
    inputs = (
        Port(f"input_{field.source.removeprefix(INPUT_PREFIX)}_i", field.bits, field.raw_remark)
        for field in _inputs(payload)
    )
    return PortGroup("Measured elsewhere, sent in telemetry; synchronous to clk_i.", tuple(inputs))


def _stream_groups(payload: Payload) -> Iterator[PortGroup]:
    for packet in payload.packets:
        ports = (Port(f"{packet.name}_{name}", bits) for name, bits in STREAM_PORTS)
        yield PortGroup(f"Packet {packet.name}: octets, valid/ready.", tuple(ports))


def link_ports(payload: Payload) -> tuple[Port, ...]:
    """Return the ports that lead to the link, none without one."""
    if payload.link is None:
        return ()
    hold = (Port(f"{packet.name}_hold_i", 1, "No periodic report.") for packet in payload.packets)
    time = (
        *(Port("time_set_i"), Port("time_coarse_i", 32, "s"), Port("time_fine_i", 16, "2^-16 s")),
        *(Port("time_coarse_o", 32, "s"), Port("time_fine_o", 16, "2^-16 s")),
    )
    return (*hold, *time)


def _bus_ports(payload: Payload) -> tuple[Port, ...]:
    address_bits = elaborate_registers(payload).address_bits
    ports = (
        *(("psel_i", 1), ("penable_i", 1), ("pwrite_i", 1), ("pprot_i", 3)),
        *(("paddr_i", address_bits), ("pwdata_i", 32), ("pstrb_i", 4)),
        *(("pready_o", 1), ("prdata_o", 32), ("pslverr_o", 1)),
    )
    return tuple(Port(f"apb_{name}", bits) for name, bits in ports)


def _rail_ports(payload: Payload) -> Iterator[Port]:
    for rail in payload.rails:
        yield Port(f"enable_{rail.name}_o")
        yield Port(f"pin_{rail.power_good.input}_i", remark="Power good, asynchronous.")
        if rail.hard_trip:
            yield Port(f"pin_{rail.hard_trip.input}_i", remark="Over-current, asynchronous.")


def _memory_parts(payload: Payload, memory: MemorySpec) -> MemoryParts:
    address_bits = (memory.words - 1).bit_length()
    codeword_bits = hsiao(memory.data_bits).codeword_bits
    return MemoryParts(
        spec=memory,
        module=memory_module(payload.name, memory),
        ports=(
            Port("request_i"),
            Port("write_i"),
            Port("address_i", address_bits),
            Port("wdata_i", memory.data_bits),
            Port("grant_o"),
            Port("rvalid_o"),
            Port("rdata_o", memory.data_bits),
            Port("rcorrected_o"),
            Port("runcorrectable_o"),
            Port("inject_valid_i"),
            Port("inject_mask_i", codeword_bits),
        ),
    )


def _packet_parts(payload: Payload, packet: PacketSpec) -> PacketParts:
    return PacketParts(
        spec=packet,
        module=packet_module(payload, packet),
        connections=tuple((field.name, _expression(payload, field)) for field in packet.fields),
    )


def _expression(payload: Payload, field: FieldSpec) -> str:
    """Return the SystemVerilog expression of a field's source, as wide as the field."""
    source = field.source
    if source.startswith(INPUT_PREFIX):
        return f"input_{source.removeprefix(INPUT_PREFIX)}_i"
    if source.startswith("rails.") and not payload.rails:
        return WITHOUT_RAILS.get(source, f"{field.bits}'d0")
    if source in SIGNALS:
        signal = SIGNALS[source]
        return f"{field.bits}'({signal})" if source in (*BITMAP_SOURCES, "rails.halted") else signal
    kind, name, what = source.split(".")
    if kind == "memory":
        return f"memory_{name}_{what}"
    number = [rail.name for rail in payload.rails].index(name)
    return f"rail_state[{8 * number + 7}:{8 * number}]"


def _inputs(payload: Payload) -> tuple[FieldSpec, ...]:
    """Return one field for each external input, in order of first use."""
    fields = [field for packet in payload.packets for field in packet.fields]
    inputs = {field.source: field for field in reversed(fields)}
    used = dict.fromkeys(field.source for field in fields)
    return tuple(inputs[source] for source in used if source.startswith(INPUT_PREFIX))
