# SPDX-License-Identifier: Apache-2.0
"""What a Verilated model keeps is listed for C++, or nothing is."""

from pathlib import Path

import pytest

from fw_tools.sim.members import write_members

# As Verilator 5.48 writes it.
ROOT = """\
    // DESIGN SPECIFIC STATE
    struct {
        VL_IN8(clk_i,0,0);
        CData/*3:0*/ top__DOT__u_uart_tx__DOT__count_q;
        VlUnpacked<IData/*21:0*/, 1024> top__DOT__u_array__DOT__mem;
    };
    IData/*31:0*/ __VactIterCount;

    // INTERNAL VARIABLES
    // PARAMETERS
    static constexpr CData/*3:0*/ top__DOT__u_uart_tx__DOT__LastCount = 0x0fU;
"""
LISTED = """\
MEMBER(top__DOT__u_uart_tx__DOT__count_q)
MEMBER(top__DOT__u_array__DOT__mem)
PARAMETER(top__DOT__u_uart_tx__DOT__LastCount)
"""
OTHER = "    // DESIGN SPECIFIC STATE\n{}\n    // INTERNAL VARIABLES\n"


@pytest.mark.parametrize(
    ("state", "listed"),
    [
        ("", LISTED),
        ("    CData/*0:0*/ flag_q;", ""),
    ],
)
def test_members_are_listed_when_the_model_keeps_nothing_elsewhere(
    tmp_path: Path, state: str, listed: str
) -> None:
    (tmp_path / "Vtwin___024root.h").write_text(ROOT)
    (tmp_path / "Vtwin_package.h").write_text(OTHER.format(state))
    write_members(tmp_path, "Vtwin")
    assert (tmp_path / "Vtwin_members.h").read_text() == listed
