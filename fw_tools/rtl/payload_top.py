# SPDX-License-Identifier: Apache-2.0
"""The payload with its serial line, and the same behind the pins that every twin has."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import COUNTER_CELLS, library_files
from fw_tools.rtl.link_file import render_link_file
from fw_tools.rtl.link_program import (
    has_rescue,
    link_program,
    program_module,
    render_link_program,
)
from fw_tools.rtl.ports import Port, PortGroup, align_connections, port_list
from fw_tools.rtl.registers import elaborate_registers, payload_register_rows
from fw_tools.rtl.render import header, render
from fw_tools.rtl.top import board_port_groups, top_module
from fw_tools.spec.records import Payload

GATED = frozenset(
    {"request_i", "write_i", "address_i", "wdata_i", "grant_o", "rvalid_o"}
)  # Ports of a memory that its gate stands before.
TWIN_RAILS = 64  # Width of the rail ports of a twin, whatever the payload.
WARM_BOOT = (
    Port("warm_boot_slots_i", 16, "Those whose bitstream can be loaded; constant."),
    Port("warm_boot_o", remark="Held."),
    Port("warm_boot_slot_o", 4, "Set before."),
)
LINK_CELLS = (
    *("engine_pkg", "crc16_octet", "periodic_trigger", "sync_2ff"),
    *COUNTER_CELLS,
    *("ecc_ram_array", "uart_rx", "uart_tx"),
    *("cobs_decoder", "octet_ring", "frame_receiver", "frame_sender"),
    *("engine_ram", "engine_core", "crc32_octet", "spi_octets", "pus_link"),
    *("memory_gate", "warm_reset"),
)


def payload_module(payload: Payload) -> str:
    """Return the name of the module of the payload with its line."""
    return f"{payload.name}_payload"


def twin_module(payload: Payload) -> str:
    """Return the name of the module that a twin simulates."""
    return f"{payload.name}_twin"


def has_line(payload: Payload) -> bool:
    """Tell whether there is a line, and the packet whose APID it has."""
    return payload.link is not None and bool(payload.packets)


def whole_module(payload: Payload) -> str:
    """Return the name of the module that holds all others."""
    return twin_module(payload) if has_line(payload) else top_module(payload)


def render_payload_top(
    payload: Payload, digest: str, inside: Sequence[GeneratedFile]
) -> tuple[GeneratedFile, ...]:
    """Return the payload with its line, the wrapper of its twin, its program, library cells.

    `inside` is the gateware of which the payload is made; its digest can be read over the line.
    Nothing without a line.
    """
    if not has_line(payload):
        return ()
    cells = library_files(*LINK_CELLS)
    module = _payload_file(payload, digest)
    gateware = rtl_digest([*inside, *cells, module])
    program = link_program(payload, gateware)
    rows = payload_register_rows(payload, digest)
    return (
        *cells,
        *render_link_program(payload, digest, program),
        module,
        _twin_file(payload, digest),
        render_link_file(payload, digest, gateware, rows, program),
    )


def rtl_digest(files: Iterable[GeneratedFile]) -> str:
    """Return 64 bits (hex) of the SHA-256 of SystemVerilog sources and their paths."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        if file.path.suffix == ".sv":
            digest.update(f"{file.path}\0{file.text}\0".encode())
    return digest.hexdigest()[:16]


def _payload_file(payload: Payload, digest: str) -> GeneratedFile:
    assert payload.link is not None
    module = payload_module(payload)
    clock = PortGroup("", (Port("clk_i"), Port("rst_ni")))
    board = board_port_groups(payload)
    text = render(
        "payload.sv.j2",
        head=header("//", digest, f"The payload {payload.name} with its line."),
        payload=payload,
        link=payload.link,
        module=module,
        top=top_module(payload),
        program=program_module(payload),
        ports=port_list([clock, *pin_groups(payload)]),
        passed=[_inner(payload, port.name) for group in board for port in group.ports],
        memories=list(enumerate(payload.memories, start=1)),
        report=payload.packets[0].name,
        triplicate=payload.profile.triplicate,
        receive_bits=payload.profile.receive_bits(has_flash=payload.link.flash_octets > 0),
        rescue="1'b1" if has_rescue(payload) else "1'b0",
        warm_boot="1'b1" if payload.link.slot_octets else "1'b0",
        address_bits=elaborate_registers(payload).address_bits,
    )
    return GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), align_connections(text))


def pin_groups(payload: Payload) -> list[PortGroup]:
    """Return the ports of the payload with its line, but clock and reset."""
    assert payload.link is not None
    flash = (Port("flash_sck_o"), Port("flash_cs_no"), Port("flash_mosi_o"), Port("flash_miso_i"))
    has_slots = payload.link.slot_octets > 0
    return [
        PortGroup("Serial line, 8N1.", (Port("uart_rx_i"), Port("uart_tx_o"))),
        PortGroup("Chosen at start, told to the ground.", (Port("boot_select_i"),)),
        PortGroup("SPI flash, mode 0.", flash if payload.link.flash_octets else ()),
        PortGroup("The FPGA loads another bitstream.", WARM_BOOT if has_slots else ()),
        *board_port_groups(payload),
    ]


def _twin_file(payload: Payload, digest: str) -> GeneratedFile:
    module = twin_module(payload)
    text = render(
        "twin.sv.j2",
        head=header("//", digest, f"The payload {payload.name} as its twin has it."),
        payload=payload,
        link=payload.link,
        module=module,
        inner=payload_module(payload),
        connections=[(port, _twin_side(payload, port)) for port in _board_ports(payload)],
        rail_count=len(payload.rails),
        rail_bits=TWIN_RAILS,
    )
    return GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), align_connections(text))


def _inner(payload: Payload, port: str) -> tuple[str, str]:
    """Return a port of the top and what it is connected to: a memory's go through a gate."""
    for memory in payload.memories:
        if port.startswith(f"{memory.name}_") and port.removeprefix(f"{memory.name}_") in GATED:
            return port, f"gated_{port.removesuffix('_i').removesuffix('_o')}"
        if port == f"{memory.name}_inject_valid_i":
            return port, f"{port} && !is_link_{memory.name}"
    return port, port


def _board_ports(payload: Payload) -> list[Port]:
    return [port for group in board_port_groups(payload) for port in group.ports]


def _twin_side(payload: Payload, port: Port) -> str:
    """Return what a twin connects to a port of the payload."""
    for number, rail in enumerate(payload.rails):
        if port.name == f"enable_{rail.name}_o":
            return f"rail_enable_o[{number}]"
        if port.name == f"pin_{rail.power_good.input}_i":
            return f"rail_power_good_i[{number}]"
        if rail.hard_trip and port.name == f"pin_{rail.hard_trip.input}_i":
            return f"rail_over_current_i[{number}]"
    return f"unused_{port.name}" if port.name.endswith("_o") else "'0"
