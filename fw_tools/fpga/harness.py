# SPDX-License-Identifier: Apache-2.0
"""A payload between flip-flops, so that it fits a package: pins for what leads to the board only.

The ports to the user's own logic are many more than a package has pins. Here a chain of flip-flops
drives the inputs among them and one more collects the outputs, as logic beside the payload would.
"""

from fw_tools.rtl.payload_top import payload_module, pin_groups
from fw_tools.rtl.ports import Port, PortGroup, port_list
from fw_tools.spec.records import Payload

# How the names of pins begin.
_BOARD = ("uart_", "boot_select_", "flash_", "enable_", "pin_")
_CHAIN = (Port("chain_i"), Port("chain_o"))


def harness_module(payload: Payload) -> str:
    """Return the name of the module."""
    return f"{payload.name}_fit"


def harness_flip_flops(payload: Payload) -> int:
    """Return how many flip-flops are the harness's own: one an input, and one for all outputs."""
    inputs = sum(port.bits for port in _own_ports(payload) if _is_input(port))
    return inputs + bool(_own_ports(payload))


def render_harness(payload: Payload) -> str:
    """Return the SystemVerilog of the payload between flip-flops."""
    pins = [*_board_pins(payload), *_CHAIN] if _own_ports(payload) else _board_pins(payload)
    inner = [port for port in pins if port not in _CHAIN]
    connections = [f"      .{pin.name}" for pin in inner]
    connections += [f"      .{port.name}(own_{port.name})" for port in _own_ports(payload)]
    return "\n".join(
        [
            f"module {harness_module(payload)} (",
            port_list([PortGroup("", tuple(pins))]),
            ");",
            *_chain(_own_ports(payload)),
            f"  {payload_module(payload)} u_payload (",
            ",\n".join(connections),
            "  );",
            "endmodule",
            "",
        ]
    )


def _board_pins(payload: Payload) -> list[Port]:
    pins = [port for port in _ports(payload) if port.name.startswith(_BOARD)]
    return [Port("clk_i"), Port("rst_ni"), *pins]


def _own_ports(payload: Payload) -> list[Port]:
    return [port for port in _ports(payload) if not port.name.startswith(_BOARD)]


def _ports(payload: Payload) -> list[Port]:
    return [port for group in pin_groups(payload) for port in group.ports]


def _is_input(port: Port) -> bool:
    return port.name.endswith("i")


def _chain(own: list[Port]) -> list[str]:
    """Return the chain through the inputs, in the order of the ports, and the outputs' parity."""
    if not own:
        return []
    inputs = "".join(f", own_{port.name}" for port in own if _is_input(port))
    outputs = "".join(f", own_{port.name}" for port in own if not _is_input(port))
    return [
        *(f"  logic [{port.bits - 1}:0] own_{port.name};" for port in own),
        "  logic unused;",
        "  always_ff @(posedge clk_i) begin",
        f"    {{unused{inputs}}} <= {{1'b0{inputs}}} << 1 | chain_i;",
        f"    chain_o <= ^{{chain_i{outputs}}};",
        "  end",
    ]
