# SPDX-License-Identifier: Apache-2.0
"""What must hold between the tables of a payload.

References are checked on the text of the file, so that a table with one mistake still shows its
others.
"""

from fw_tools.spec.draft import Draft
from fw_tools.spec.hardening import check_hardening
from fw_tools.spec.link import check_link
from fw_tools.spec.packets import check_packets
from fw_tools.spec.rails import check_rails
from fw_tools.spec.size import check_size

# Names that generated modules, signals and instances have already: a memory becomes the module
# <payload>_<memory> and the instance u_<memory>, a rail the instance u_<rail> of the sequencer.
TAKEN = {
    "memory": frozenset(
        {"csr", "regs", "regs_pkg", "sequencer", "telemetry", "top", "cuc_time", "upsets"}
        | {"housekeeping", "housekeeping_period", "payload", "program", "twin", "link"}
    ),
    "rail": frozenset({"supervisor", "tick"}),
}
# Modules and packages of the library, as `hdl/rtl` has them: a generated one needs another name.
LIBRARY_CELLS = frozenset(
    {"cobs_decoder", "crc16_octet", "cuc_time", "ecc_ram_array", "ecc_ram_ctrl", "ecc_ram_pkg"}
    | {"engine_core", "engine_pkg", "engine_ram", "frame_receiver"}
    | {"frame_sender", "octet_ring", "pus_link", "uart_rx", "uart_tx"}
    | {"crc32_octet", "memory_gate", "power_on_reset", "spi_octets", "warm_reset"}
    | {"event_counter", "glitch_filter", "guarded_flag", "kept_reg", "periodic_trigger"}
    | {"fsm_reg", "harden_pkg", "kept_flip_flops", "tmr_majority"}
    | {"rail_ctrl", "rail_pkg", "rail_supervisor", "rail_timer", "sync_2ff"}
    | {"tick_gen", "tmr_reg", "tmr_voter"}
)
# A memory's ports begin with its name; these beginnings are those of other ports.
PORT_GROUPS = ("apb_", "uart_", "flash_", "enable_", "input_", "pin_", "unused_")


def check_across_tables(draft: Draft) -> None:
    """Add every mistake that shows only between tables to the findings of `draft`."""
    _check_names(draft)
    _check_cells(draft)
    check_rails(draft)
    check_packets(draft)
    check_size(draft)
    check_link(draft)
    check_hardening(draft)


def _check_names(draft: Draft) -> None:
    first: dict[str, str] = {}
    for kind in ("memory", "rail", "packet"):
        for name in draft.raw(kind):
            if name in first:
                message = f"{first[name]} {name} has the same name; generated names would collide"
                draft.findings.add((kind, name), f"{kind} {name}", message)
            first.setdefault(name, kind)
    for kind, taken in TAKEN.items():
        for name in draft.raw(kind):
            if name in taken or (kind == "memory" and name.startswith(PORT_GROUPS)):
                message = f"the generated design uses {name!r} itself; for example 'my_{name}'"
                draft.findings.add((kind, name), f"{kind} {name}", message)


def _check_cells(draft: Draft) -> None:
    if draft.board is None:
        return
    payload = draft.board.name
    for name in draft.raw("memory"):
        if f"{payload}_{name}" in LIBRARY_CELLS:
            message = (
                f"makes the module {payload}_{name}, which is a library cell; "
                f"for example 'my_{name}'"
            )
            draft.findings.add(("memory", name), f"memory {name}", message)
