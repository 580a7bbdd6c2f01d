# SPDX-License-Identifier: Apache-2.0
"""Designs to triplicate, and their results."""

from collections.abc import Callable
from pathlib import Path

from fw_tools.flow.tmr import Request, Triplicated
from fw_tools.tmr.plan import Options

DESIGNS = Path(__file__).parents[1] / "tmr/designs"
RTL = Path(__file__).parents[2] / "hdl/rtl"
SOURCES = {
    "fifo": (Path(__file__).parents[2] / "examples/own_bench/fifo.sv",),
    "mixed": (DESIGNS / "mixed.sv",),
    "tick_gen": (RTL / "common/tick_gen.sv",),
    "glitch_filter": tuple(
        RTL / f"common/{name}.sv"
        for name in (
            "kept_reg",
            "tmr_voter",
            "tmr_majority",
            "tmr_reg",
            "glitch_filter",
        )
    ),
}
Make = Callable[..., tuple[Triplicated, list[Path]]]


def request_of(top: str, **chosen: object) -> Request:
    """Return a request, with parameters and families if they are chosen."""
    options = Options(
        voters=chosen.pop("voters", "triple"),  # type: ignore[arg-type]
        left=chosen.pop("left", ()),  # type: ignore[arg-type]
    )
    settings = {"parameters": {}, "families": ()} | chosen
    return Request(sources=SOURCES[top], top=top, options=options, **settings)  # type: ignore[arg-type]
