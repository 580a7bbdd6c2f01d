# SPDX-License-Identifier: Apache-2.0
"""A netlist without hierarchy: cells, the nets between them, and the names of both."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

Net = int  # A bit. 0 and 1 are the constants, everything above is a wire.
CONSTANTS = 2
DATA_PINS = frozenset({"D", "DI"})  # Of a flip-flop: iCE40, ECP5.


@dataclass(frozen=True, slots=True)
class Cell:
    """One primitive of the FPGA family, as `u_rail.u_state.u_code.stored_q_TRELLIS_FF_Q_3`."""

    name: str
    kind: str  # "LUT4", "TRELLIS_FF", "SB_DFFR", ...
    parameters: Mapping[str, str]
    pins: Mapping[str, tuple[Net, ...]]  # Least significant bit first.
    outputs: frozenset[str]
    place: str = ""  # "fifo.sv:36"

    @property
    def is_flip_flop(self) -> bool:
        """Whether the cell stores one bit: it has a data input and a Q."""
        return "Q" in self.pins and bool(DATA_PINS & self.pins.keys())

    @property
    def data(self) -> Net:
        """What a flip-flop takes over at the clock."""
        return next(self.pins[pin][0] for pin in sorted(DATA_PINS) if pin in self.pins)


@dataclass(frozen=True, slots=True)
class Netlist:
    """What synthesis made of a top.

    `signals` holds every wire that kept its name, by its name from the top down
    (`u_rail.u_state.u_code.stored_q`), least significant bit first; ports are among them.
    """

    top: str
    family: str
    cells: tuple[Cell, ...]
    signals: Mapping[str, tuple[Net, ...]]
    _drivers: dict[Net, tuple[Cell, str, int]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for cell in self.cells:
            for pin in cell.outputs:
                for bit, net in enumerate(cell.pins[pin]):
                    self._drivers[net] = (cell, pin, bit)

    @property
    def flip_flops(self) -> tuple[Cell, ...]:
        """Every flip-flop of the netlist."""
        return tuple(cell for cell in self.cells if cell.is_flip_flop)

    def counts(self) -> dict[str, int]:
        """Return how many cells there are of each kind, in alphabetical order."""
        return dict(sorted(Counter(cell.kind for cell in self.cells).items()))

    def driver(self, net: Net) -> tuple[Cell, str, int] | None:
        """Return the cell, its pin and the bit of the pin that drive `net`; None for an input."""
        return self._drivers.get(net)

    def signal(self, name: str) -> tuple[Net, ...]:
        """Return the nets of a signal; `LookupError` names the nearest ones when there is none."""
        if name in self.signals:
            return self.signals[name]
        last = name.rpartition(".")[2]
        near = sorted(other for other in self.signals if other.rpartition(".")[2] == last)[:5]
        raise LookupError(f"{self.top}: no signal {name!r}; there are: {', '.join(near) or 'none'}")

    def register(self, name: str) -> tuple[Cell, ...]:
        """Return the flip-flops of a register, one per bit, least significant first.

        Raises `LookupError` when there is no such signal, or when a bit of it is not stored in a
        flip-flop of its own any more: folded into another, stored inverted, or constant.
        """
        found = []
        for bit, net in enumerate(self.signal(name)):
            driver = self.driver(net)
            if driver is None or not driver[0].is_flip_flop:
                raise LookupError(f"{self.top}: bit {bit} of {name} is not stored in a flip-flop")
            found.append(driver[0])
        if len({cell.name for cell in found}) != len(found):
            raise LookupError(f"{self.top}: bits of {name} share a flip-flop")
        return tuple(found)
