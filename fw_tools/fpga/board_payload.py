# SPDX-License-Identifier: Apache-2.0
"""The module `board_payload`: a payload behind the same ports on every board.

It is the top of the payload's twin, so that a board and its twin hold the same. The user's own
logic is in neither; its ports rest.
"""

from fw_tools.rtl.payload_top import WARM_BOOT
from fw_tools.rtl.ports import Port, PortGroup, port_list
from fw_tools.spec.board_schema import MAX_RAILS
from fw_tools.spec.records import Payload

_PORTS = (
    Port("clk_i"),
    Port("rst_ni"),
    Port("boot_select_i"),
    Port("uart_rx_i"),
    Port("uart_tx_o"),
    Port("flash_sck_o"),
    Port("flash_cs_no"),
    Port("flash_mosi_o"),
    Port("flash_miso_i"),
    *WARM_BOOT,
    Port("rail_enable_o", MAX_RAILS),
    Port("rail_power_good_i", MAX_RAILS),
    Port("rail_over_current_i", MAX_RAILS),
)


def render_board_payload(payload: Payload, build_id: str) -> str:
    """Return the SystemVerilog; `build_id` is what the link tells of itself, 64 bits in hex."""
    assert payload.link is not None
    return "\n".join(
        [
            "module board_payload #(",
            "    parameter int unsigned ClockHz = 1_000_000",
            ") (",
            port_list([PortGroup("", _PORTS)]),
            ");",
            f"  {payload.name}_twin #(",
            "      .ClockHz(ClockHz),",
            f"      .BaudDivisor({payload.link.baud_divisor}),",
            f"      .BuildId(64'h{build_id})",
            "  ) u_payload (",
            ",\n".join(f"      .{port.name}" for port in _PORTS),
            "  );",
            "endmodule",
            "",
        ]
    )
