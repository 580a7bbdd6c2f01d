# SPDX-License-Identifier: Apache-2.0
"""The APB4 slave that PeakRDL puts in front of the registers."""

from peakrdl_regblock.cpuif.apb4 import APB4_Cpuif_flattened

from fw_tools.rtl.render import render

SIGNALS = (
    *("psel", "penable", "pwrite", "paddr", "pwdata", "pstrb"),
    *("pready", "prdata", "pslverr"),
)


class StatelessApb4(APB4_Cpuif_flattened):  # type: ignore[misc]
    """PeakRDL's ports, without its state: there an upset of `is_active` stalls the bus for ever."""

    def get_implementation(self) -> str:
        """Return the body that joins the bus to the register block."""
        signals = {name: self.signal(name) for name in SIGNALS}
        return render("apb4_slave.sv.j2", addr_width=self.addr_width, **signals)
