# SPDX-License-Identifier: Apache-2.0
"""The frozen model of a description: what every floor above reads."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fw_tools.ecc.records import MemorySpec
from fw_tools.power.records import RailSpec
from fw_tools.spec.hardening import Hardening
from fw_tools.spec.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSpec:
    """Raw count to engineering value; exactly one of the three is not empty."""

    polynomial: tuple[Decimal, ...] = ()  # Coefficients, the lowest first.
    spline: tuple[tuple[Decimal, Decimal], ...] = ()  # (raw, engineering), raw rising.
    extrapolate: bool = False  # Of the spline.
    table: tuple[tuple[Decimal, Decimal], ...] = ()  # (raw, engineering)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSpec:
    """Bounds (low, high) on the engineering value, None where there is no bound."""

    warning: tuple[Decimal | None, Decimal | None] | None
    alarm: tuple[Decimal | None, Decimal | None] | None
    persistence: int  # Violations in a row before the state is raised, from 1.


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of a telemetry packet, in order of transmission, most significant octet first."""

    name: str
    source: str  # Where the value comes from; see `fw_tools.spec.sources`.
    bits: int  # 8, 16, 24 or 32
    unit: str  # Of the engineering value; "" where it has none.
    calibration: CalibrationSpec | None = None
    limits: LimitsSpec | None = None

    @property
    def raw_remark(self) -> str:
        """What the raw count is, in few words for the comment of a port; "" without a unit."""
        if self.calibration is None:
            return self.unit
        return f"raw count, calibrated to {self.unit}" if self.unit else "raw count"


# Octets of a housekeeping report besides its fields: primary header 6 (CCSDS 133.0-B 4.1.3),
# PUS-C secondary header 7 + time 7 (ECSS-E-ST-70-41C 7.4.3.1), structure ID 2, CRC 2.
PACKET_OVERHEAD_OCTETS = 6 + 7 + 7 + 2 + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketSpec:
    """A housekeeping report: CCSDS space packet, PUS-C TM[3,25]."""

    name: str
    apid: int  # 0..2046 (2047 is the idle APID, CCSDS 133.0-B 4.1.3.3.4)
    structure_id: int  # 16 bit, ECSS-E-ST-70-41C 8.3.2.25
    destination_id: int  # 16 bit
    period_us: int
    fields: tuple[FieldSpec, ...]

    @property
    def octets(self) -> int:
        """Length of the whole packet, from primary header to CRC."""
        return PACKET_OVERHEAD_OCTETS + sum(field.bits // 8 for field in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """The serial line on which the payload takes telecommands and sends telemetry."""

    baud_divisor: int  # Clocks a bit.
    flash_octets: int  # 0: no flash.
    slot_octets: int  # 0: the flash has no boot slots.
    time_report_rate: int  # A time report every 2^n s; 255: none.

    @property
    def slot_count(self) -> int:
        """How many boot slots the flash has; slot 0 is the golden one."""
        return self.flash_octets // self.slot_octets if self.slot_octets else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsetRates:
    """How often radiation flips one bit of each kind, in upsets a day."""

    orbit: str  # What they hold for, in the user's words.
    flip_flop: float
    memory: float
    configuration: float  # Memory of an FPGA.
    configuration_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSpec:
    """One SystemVerilog top with the cocotb modules that exercise it: one cell of a bench matrix.

    Paths are absolute. `parameters` and `defines` hold text as Verilator takes it after -G and -D.
    """

    name: str  # Unique within a run; carries the matrix cell, as in "fifo[Depth=4]".
    top: str
    test_modules: tuple[str, ...]
    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    verilator_args: tuple[str, ...] = ()
    waivers: tuple[Path, ...] = ()  # Verilator control files (.vlt)
    python_paths: tuple[Path, ...] = ()  # Where the test modules are looked for.
    environment: tuple[tuple[str, str], ...] = ()  # Given to the simulation, not to the build.
    lint: bool = False  # Demand that Verilator -Wall is quiet.
    timeout_s: float | None = None  # Wall clock, for one run of the bench.


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A whole payload description."""

    name: str  # A lower-case identifier; prefixes generated modules.
    clock_hz: int
    profile: Profile
    memories: tuple[MemorySpec, ...]
    rails: tuple[RailSpec, ...]
    packets: tuple[PacketSpec, ...]
    link: LinkSpec | None  # None: the top is built in, and has no line of its own.
    benches: tuple[BenchSpec, ...]  # The user's own, from [[bench]]; no part of the digest.
    hardenings: tuple[Hardening, ...] = ()  # Of each block; bounds are no part of the digest.

    def hardening(self, block: str) -> Hardening:
        """Return what is asked of a block: SEQUENCER, or a memory by its name."""
        return next(
            (each for each in self.hardenings if each.block == block), Hardening(block=block)
        )
