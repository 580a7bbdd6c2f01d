# SPDX-License-Identifier: Apache-2.0
"""From a payload to the program of its twin: gateware, Verilator, the C++ around it; all cached."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fw_tools.power.records import RailSpec
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.cache import cache_folder, mark_used
from fw_tools.sim.verilator import twin_host
from fw_tools.spec.records import BenchSpec
from fw_tools.toolchain import build_versions

_TOLD = (
    "building the twin of {}: half a minute, or two on a busy machine; it is kept for the next time"
)
_WAITS = (
    "another process has been building the twin of {} for {:.0f} s: waiting for it, half a minute "
    "in all, or two on a busy machine"
)
_RAIL_NUMBERS = 64  # Pins of the twin's top.


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinDesign:
    """A payload as its twin needs it: a top with the twin's pins, and what hangs on them."""

    name: str
    top: str
    sources: tuple[Path, ...]  # In compile order, absolute.
    clock_hz: int
    baud_divisor: int
    rails: tuple[RailSpec, ...] = ()  # By the numbers of their pins.
    waivers: tuple[Path, ...] = ()
    link: Path | None = None  # link.json, for a client.
    has_flash: bool = True

    def build_id(self) -> str:
        """Return what tells this build from another: 64 bits of a digest, in hex.

        Of the gateware, and of the versions of Verilator, the compiler and this package.
        """
        digest = hashlib.sha256(file_digest(self.sources).encode())
        for name, version in sorted(build_versions().items()):
            digest.update(f"\0{name} {version}".encode())
        return digest.hexdigest()[:16]


def file_digest(paths: Iterable[Path]) -> str:
    """Return the digest of files' names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build_twin(
    design: TwinDesign, work: Path, say: Callable[[str], None], *, has_waves: bool
) -> Path:
    """Build the twin's program into `work`, or take it from the cache; return it.

    `say` gets a line for the user when there is something to wait for.

    Raises what `fw_tools.sim.build.build` does.
    """
    options = BuildOptions(
        work=work,
        folder=design.sources[0].parent,
        has_waves=has_waves,
        host=twin_host(),
    )
    return build(
        model_of(design),
        options,
        lambda: say(_TOLD.format(design.name)),
        lambda seconds: say(_WAITS.format(design.name, seconds)),
    ).program


def model_of(design: TwinDesign) -> BenchSpec:
    """Return what Verilator makes a twin's model of."""
    parameters = {
        "ClockHz": str(design.clock_hz),
        "BaudDivisor": str(design.baud_divisor),
        "BuildId": f"64'h{design.build_id()}",
    }
    return BenchSpec(
        name=f"twin of {design.name}",
        top=design.top,
        test_modules=(),
        sources=design.sources,
        parameters=tuple(parameters.items()),
        waivers=design.waivers,
    )


def gateware_folder(digest: str) -> Path:
    """Return where the gateware of a payload's twin is kept, by the model's digest.

    What renders it counts too, so that a change of ours is seen.
    """
    key = hashlib.sha256(f"{digest}\0{file_digest(renderers())}".encode()).hexdigest()[:40]
    folder = cache_folder() / "builds" / f"{key}.gateware"
    mark_used(folder)
    return folder


def renderers() -> list[Path]:
    """Return every file of ours that gateware is made by or of: modules, templates, programs."""
    folders = (Path(str(files(package) / "rtl")) for package in ("fw_tools", "hdl"))
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.suffix != ".pyc")


def plant_limits(design: TwinDesign) -> Iterator[tuple[float, ...]]:
    """Yield the plant of each rail in the order of hdl/twin/parts/rails.h, in clocks.

    Power good comes well within the rail's window, as on the benches' board.
    """
    clocks_per_us = design.clock_hz / 1e6
    for rail in design.rails[:_RAIL_NUMBERS]:
        on_level = rail.power_good.on_percent / 100
        window = rail.ramp_max_us - rail.ramp_min_us
        filter_clocks = rail.power_good.filter_us * clocks_per_us
        blank_us = rail.hard_trip.blank_us if rail.hard_trip else 2
        yield (
            (rail.ramp_min_us + window / 4) * clocks_per_us / on_level,
            1.0,
            rail.ramp_max_us * 2 * clocks_per_us,
            rail.off_timeout_us * clocks_per_us / _DISCHARGES_PER_TIMEOUT,
            on_level,
            rail.power_good.off_percent / 100,
            2.0,
            max(filter_clocks // 2, 1.0),
            filter_clocks * 4 + 100,
            max(blank_us * clocks_per_us // 2, 1.0),
        )


_DISCHARGES_PER_TIMEOUT = 30  # Time constants in the time that a rail has to fall.
