# SPDX-License-Identifier: Apache-2.0
"""What an export has beside its sources: lists, constraints, pins, a check, a page to read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.export_sources import Target
from fw_tools.rtl.render import header, render

# Inputs that a synchroniser of the payload takes, so that their time does not matter.
_ASYNCHRONOUS = ("uart_rx_i", "boot_select_i")
_RAIL_PINS = "pin_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One bit of a port of the top."""

    port: str  # As in "rdata_o[3]".
    is_input: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A design that is to be exported."""

    name: str
    top: str
    digest: str
    clock_hz: int
    sources: tuple[str, ...]  # Paths below the folder, in compile order.
    pins: tuple[Pin, ...]
    hardened: Mapping[str, int]  # Instance from the top down -> flip-flops.

    @property
    def period_ns(self) -> str:
        """The clock's period, as constraints take it."""
        return f"{1e9 / self.clock_hz:.3f}"

    @property
    def asynchronous(self) -> tuple[str, ...]:
        """Inputs whose time does not matter."""
        return tuple(
            pin.port
            for pin in self.pins
            if pin.port in _ASYNCHRONOUS or (pin.is_input and pin.port.startswith(_RAIL_PINS))
        )


def render_export(export: Export, target: Target) -> tuple[GeneratedFile, ...]:
    """Return every file of an export but its sources."""
    return tuple(_files(export, target))


def _files(export: Export, target: Target) -> Iterator[GeneratedFile]:
    yield _file("filelist.f", _head(export, "//", "Sources"), *export.sources)
    yield _file(
        "hardened.txt",
        _head(export, "#", "Flip-flops of each hardened register"),
        *(f"{bits} {path}" for path, bits in export.hardened.items()),
    )
    yield _template(export, target, "check_flip_flops.py", "#", "Check of a netlist")
    yield _template(export, target, f"{export.name}.sdc", "#", "Clock and asynchronous inputs")
    if target is Target.VIVADO:
        yield _template(export, target, "check_flip_flops.tcl", "#", "Check in Vivado")
        yield _template(export, target, f"{export.name}.xdc", "#", "Pins to be filled in")
        yield _template(export, target, "vivado.tcl", "#", "Sources and constraints")
    if target is Target.LIBERO:
        yield _template(export, target, f"{export.name}.pdc", "#", "Pins to be filled in")
        yield _template(export, target, "libero.tcl", "#", "Sources and constraints")
    yield _template(export, target, "README.md", "", "")


def _template(export: Export, target: Target, name: str, comment: str, what: str) -> GeneratedFile:
    path = PurePosixPath(name)
    template = f"export{path.suffix}" if path.stem == export.name else f"export_{name}"
    text = render(f"{template}.j2", export=export, target=target, registers=len(export.hardened))
    return GeneratedFile(path, (_head(export, comment, what) if comment else "") + text)


def _head(export: Export, comment: str, what: str) -> str:
    return header(comment, export.digest, f"{what} of {export.name}.")


def _file(name: str, head: str, *lines: str) -> GeneratedFile:
    return GeneratedFile(PurePosixPath(name), head + "".join(f"{line}\n" for line in lines))


def pins_of(name: str, bits: int, *, is_input: bool) -> Sequence[Pin]:
    """Return the pins of a port."""
    places = [name] if bits == 1 else [f"{name}[{bit}]" for bit in range(bits)]
    return [Pin(port=place, is_input=is_input) for place in places]
