# SPDX-License-Identifier: Apache-2.0
"""A payload on a board: what goes into the FPGA, and what names it."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.flow.bitstream import Design
from fw_tools.fpga.board_payload import render_board_payload
from fw_tools.rtl.emit import emit
from fw_tools.rtl.payload import payload_digest, render_payload, source_files
from fw_tools.spec.board import BoardSpec, FpgaSpec
from fw_tools.spec.records import Payload
from fw_tools.spec.schema import MIN_BAUD_DIVISOR

_BUILD_ID_DIGITS = 16  # 64 bits.
_BAUD_TOLERANCE = 0.02  # Both ends together may differ by about 5 % (8N1).


def payload_on_board(payload: Payload, board: BoardSpec) -> Payload:
    """Return the payload at the board's clock; its times and its baud rate stay.

    Raises `InputError` where the board is not for such a payload.
    """
    fpga = _require_fit(payload, board)
    assert payload.link is not None
    divisor = _divisor(payload.clock_hz / payload.link.baud_divisor, fpga.clock_hz, board.name)
    link = replace(payload.link, baud_divisor=divisor)
    return replace(payload, clock_hz=fpga.clock_hz, link=link)


def write_design(payload: Payload, fpga: FpgaSpec, folder: Path) -> tuple[Design, str]:
    """Write the sources of a payload of `payload_on_board` to `folder`; return design and build ID.

    `folder` then holds what `fw-tools generate` gives, link.json among it.
    """
    emit(render_payload(payload), folder, payload_digest(payload))
    reset = files("hdl") / "rtl" / "top" / "power_on_reset.sv"
    (folder / "power_on_reset.sv").write_bytes(reset.read_bytes())
    gateware = (*source_files(folder), folder / "power_on_reset.sv")
    build_id = _design(gateware, fpga).digest()[:_BUILD_ID_DIGITS]
    around = folder / "board_payload.sv"
    around.write_text(render_board_payload(payload, build_id), encoding="utf-8")
    return _design((*gateware, around), fpga), build_id


def _design(gateware: Sequence[Path], fpga: FpgaSpec) -> Design:
    return Design(
        sources=(*gateware, *fpga.sources),
        top=fpga.top,
        pins=fpga.pins,
        part=fpga.part,
        clock_hz=fpga.clock_hz,
    )


def _divisor(baud: float, clock_hz: int, name: str) -> int:
    """Return the clocks a bit that come nearest to `baud`."""
    divisor = max(round(clock_hz / baud), MIN_BAUD_DIVISOR)
    if abs(clock_hz / divisor / baud - 1) > _BAUD_TOLERANCE:
        raise InputError(
            f"board {name} cannot have a line of {baud:,.0f} baud: its clock of "
            f"{clock_hz / 1e6:g} MHz gives {clock_hz / divisor:,.0f} at {divisor} clocks a bit; "
            "change [link] baud_divisor"
        )
    return divisor


def _require_fit(payload: Payload, board: BoardSpec) -> FpgaSpec:
    fpga = board.fpga
    if fpga is None:
        raise InputError(f"board {board.name}: no table [fpga], so there is nothing to build for")
    if payload.link is None:
        raise InputError(f"{payload.name}: no table [link]: without it nothing reaches the payload")
    if payload.profile not in fpga.profiles:
        taken = " or ".join(fpga.profiles)
        raise InputError(
            f"board {board.name} takes payloads of profile {taken}; {payload.name} is "
            f"{payload.profile} ([board] profile)"
        )
    if len(payload.rails) > fpga.rails:
        raise InputError(
            f"board {board.name} has pins for {fpga.rails} rails; {payload.name} has "
            f"{len(payload.rails)}"
        )
    return fpga
