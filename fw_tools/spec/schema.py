# SPDX-License-Identifier: Apache-2.0
"""The form of payload.toml and bench.toml, table by table: types, ranges, defaults, descriptions.

Attributes are named as the keys of the file; values are already numbers in the unit of the record.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fw_tools.ecc.records import MAX_DATA_BITS, MIN_DATA_BITS
from fw_tools.power.records import FaultResponse, OnUpset
from fw_tools.spec.hardening import Harden
from fw_tools.spec.profiles import Profile
from fw_tools.spec.values import (
    Amps,
    Axis,
    Bounds,
    Clock,
    CodeName,
    Duration,
    DurationOrNone,
    FlashSize,
    HardenName,
    Name,
    Number,
    Percent,
    Period,
    Point,
    ProfileName,
    Rate,
    Response,
    Scalar,
    ScrubInterval,
    Text,
    Texts,
    Unit,
    Upset,
    UpsetShare,
    Volts,
    WallClock,
    Window,
)

MAX_APID = 2046  # 2047 is the idle APID, CCSDS 133.0-B 4.1.3.3.4.
MIN_BAUD_DIVISOR = 8


class Table(BaseModel):
    """A table of the file: unknown keys are refused, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def key(description: str, *examples: object, **options: Any) -> Any:
    """Return a required key with its description and examples (as they stand in the file)."""
    return Field(description=description, examples=list(examples) or None, **options)


class UpsetBoundTable(Table):
    """upset_bound = {...}: shares of a block's upsets above which `fw-tools verify` fails."""

    silent: UpsetShare = key("Wrong data without an alarm.", "0.5%", default=10_000)
    hang: UpsetShare = key("Nothing is handed over any more.", "0.5%", default=10_000)


class HardenedTable(Table):
    """What blocks and the board have in common."""

    harden: HardenName | None = key(
        "none; fsm: states are code words, timers carry parity, what drives pins is kept twice; "
        "tmr: besides, registers are voted. By default as in [board].",
        "tmr",
        default=None,
    )
    upset_bound: UpsetBoundTable | None = key(
        "Shares of upsets above which verify fails; by default as in [board].",
        {"silent": "0.5%"},
        default=None,
    )


class SequencerTable(HardenedTable):
    """[sequencer]: what holds for the power sequencer, which the rails make."""


class BoardTable(Table):
    """[board]: what holds for the whole payload."""

    name: Name = key("Name of the payload; prefixes every generated module.", "compute_node")
    clock: Clock = key("Clock of the generated logic: a whole number of MHz.", "50MHz")
    on_upset: Upset = key(
        "When a state code is illegal: back to the right state, or all switched rails off. "
        "A rail may say otherwise.",
        "correct",
        default=OnUpset.CORRECT,
    )
    profile: ProfileName = key(
        "How much hardening there is room for: small has no triplication and few registers.",
        "small",
        default=Profile.FULL,
    )
    harden: HardenName = key(
        "How hardened the blocks are that do not say otherwise: none, fsm or tmr.",
        "tmr",
        default=Harden.FSM,
    )
    upset_bound: UpsetBoundTable = key(
        "Shares of a block's upsets above which verify fails; 1% by default.",
        {"silent": "0.5%", "hang": "0.1%"},
        default=UpsetBoundTable(),
    )


class MemoryTable(HardenedTable):
    """[memory.NAME]: one ECC-protected memory."""

    data_bits: int = key("Width of a word.", 64, ge=MIN_DATA_BITS, le=MAX_DATA_BITS)
    words: int = key("Number of words.", 1024, ge=2, le=65536)
    code: CodeName = key("Error-correcting code: hsiao is SEC-DED.", "hsiao")
    scrub_interval: ScrubInterval = key(
        "Time between the scrub of one word and of the next.", "10us"
    )


class PowerGoodTable(Table):
    """pg = {...}: the power-good comparator of a rail."""

    input: Name = key("Name of the power-good pin.", "pg_core")
    on: Percent = key("The pin rises at this part of the nominal voltage.", "95%")
    off: Percent = key("The pin falls at this part of the nominal voltage; below 'on'.", "90%")
    filter: DurationOrNone = key("A level counts once it was stable for this long.", "8us")


class OffTable(Table):
    """off = {...}: switching a rail off."""

    timeout: Duration = key("Power good must have fallen this long after switch-off.", "60ms")


class HardTripTable(Table):
    """hard_trip = {...}: the over-current comparator of a rail."""

    input: Name = key("Name of the over-current pin.", "oc_core")
    amps: Amps = key("Current at which the comparator trips.", "110A")
    blank: DurationOrNone = key("The pin must be high this long without a break.", "5us")


class OnFaultTable(Table):
    """on_fault = {...}: the response to each fault of a rail; 'kill:tree' where not given."""

    ramp_early: Response = key(
        "Power good before the ramp window.", "kill:tree", default=FaultResponse.KILL_TREE
    )
    ramp_timeout: Response = key(
        "No power good within 'timeout'.", "kill:tree", default=FaultResponse.KILL_TREE
    )
    pg_lost: Response = key(
        "Power good fell while the rail was on.", "kill:board", default=FaultResponse.KILL_TREE
    )
    oc: Response = key("Over-current trip.", "kill:board", default=FaultResponse.KILL_TREE)
    stuck_on: Response = key(
        "Power good still high 'off.timeout' after switch-off.",
        "ignore",
        default=FaultResponse.KILL_TREE,
    )


class RailTable(Table):
    """[rail.NAME]: one supply rail."""

    volts: Volts = key("Nominal voltage.", "1.05V")
    amps: Amps = key("Rated current.", "60A")
    after: list[str] = key(
        "Rails that must be on before this one is switched on.", ["v12_ibc"], default=[]
    )
    ramp: Window = key(
        "Earliest and latest power good after switch-on. Earlier is a fault; later is reported.",
        "0.2ms..40ms",
    )
    timeout: Duration = key("Power good later than this is a fault.", "45ms")
    settle: DurationOrNone = key("Time from power good to 'on'; none by default.", "1ms", default=0)
    pg: PowerGoodTable = key(
        "Power-good comparator.", {"input": "pg_core", "on": "95%", "off": "90%", "filter": "8us"}
    )
    off: OffTable = key("Switching off.", {"timeout": "60ms"})
    hard_trip: HardTripTable | None = key(
        "Over-current comparator; a rail without it has none.",
        {"input": "oc_core", "amps": "110A", "blank": "5us"},
        default=None,
    )
    on_fault: OnFaultTable = key(
        "Response to each fault: ignore, kill:rail, kill:tree or kill:board; kill:tree by default.",
        {"pg_lost": "kill:board"},
        default=OnFaultTable(),
    )
    keep_alive: bool = key("On from reset; goes off only by its own faults.", True, default=False)
    on_upset: Upset | None = key(
        "As in [board], for this rail; by default as there.", "safe_off", default=None
    )


class CalibrationTable(Table):
    """calibration = {...}: how a raw count becomes an engineering value; one of the three."""

    polynomial: list[Number] | None = key(
        "Coefficients, the lowest first.", [-273.15, 0.01], default=None, min_length=1
    )
    spline: list[Point] | None = key(
        "Points [raw, engineering] of rising raw counts, joined by straight lines.",
        [[0, -40], [512, 25], [1023, 125]],
        default=None,
        min_length=2,
    )
    extrapolate: bool = key(
        "Lengthen the outermost lines of the spline; without, there is no value outside.",
        True,
        default=False,
    )
    table: list[Point] | None = key(
        "Pairs [raw, engineering]; other counts have no value.",
        [[0, 1.5], [1, 3]],
        default=None,
        min_length=1,
    )


class LimitsTable(Table):
    """limits = {...}: where the ground warns and alarms; bounds in the unit of the field."""

    warning: Bounds | None = key("Warning outside of [low, high].", [-10, 85], default=None)
    alarm: Bounds | None = key("Alarm outside of [low, high].", [-20, 95], default=None)
    persistence: int = key(
        "Violations in a row before the state is raised.", 3, default=1, ge=1, le=65535
    )


class FieldTable(Table):
    """One field of a packet."""

    name: Name = key("Name of the field, as the ground sees it.", "core_state")
    source: str = key("Where the value comes from.", "rails.on", "input.core_temperature")
    bits: int | None = key(
        "Width of an input: 8, 16, 24 or 32. Other sources have their own.", 16, default=None
    )
    unit: Unit = key(
        "Unit of the value, for the ground; with a calibration, of the calibrated value.",
        "degC",
        default="",
    )
    calibration: CalibrationTable | None = key(
        "Raw count to engineering value, on the ground; the packet carries the raw count.",
        {"polynomial": [-273.15, 0.01]},
        default=None,
    )
    limits: LimitsTable | None = key(
        "Warning and alarm limits, on the ground.",
        {"warning": [-10, 85], "alarm": [-20, 95]},
        default=None,
    )


class PacketTable(Table):
    """[packet.NAME]: a housekeeping report, CCSDS space packet with PUS-C TM[3,25]."""

    apid: int = key("Application process identifier.", 66, ge=0, le=MAX_APID)
    structure_id: int = key("Housekeeping structure, ECSS-E-ST-70-41C 8.3.2.25.", 1, ge=0, le=65535)
    destination_id: int = key("PUS destination; 0 by default.", 0, ge=0, le=65535, default=0)
    period: Period = key("Time between two packets.", "1s")
    fields: list[FieldTable] = key(
        "Fields in order of transmission.",
        [{"name": "rails_on", "source": "rails.on"}],
        min_length=1,
    )


class LinkTable(Table):
    """[link]: the serial line of the payload; without it there is none."""

    baud_divisor: int = key(
        "Clocks a bit of the line, which is 8N1.", 16, ge=MIN_BAUD_DIVISOR, le=65535, default=16
    )
    time_report_rate: int | None = key(
        "A time report TM[9,2] every 2^n seconds; by default none until TC[9,1] asks for it.",
        3,
        ge=0,
        le=8,
        default=None,
    )
    flash: FlashSize | None = key(
        "SPI flash at the link, of the 25 series with 24-bit addresses; by default none.",
        "4MiB",
        default=None,
    )
    slot: FlashSize | None = key(
        "Size of a boot slot of the flash, a multiple of 64KiB; slot 0 is the golden one; by "
        "default nothing is booted.",
        "512KiB",
        default=None,
    )


class UpsetTable(Table):
    """[upset]: how often radiation flips a bit, for what a campaign of upsets tells of a day."""

    orbit: Text = key(
        "What the rates hold for: orbit, shielding, part, and how they were found.",
        "LEO 550km 97.6deg, solar minimum, 2mm Al, CREME96",
    )
    rate: Rate = key("Upsets of a bit, of whatever kind.", "1e-7/bit/day")
    flip_flop_rate: Rate | None = key(
        "Of a flip-flop; 'rate' by default.", "5e-8/bit/day", default=None
    )
    memory_rate: Rate | None = key(
        "Of a bit of a memory; 'rate' by default.", "200FIT/Mbit", default=None
    )
    configuration_rate: Rate | None = key(
        "Of a bit of the FPGA's configuration memory; 'rate' by default.",
        "1e-8/bit/day",
        default=None,
    )
    configuration_bits: int | None = key(
        "Bits of the FPGA's configuration memory, to tell how often one is upset; what comes of "
        "that no campaign knows.",
        5_400_000,
        ge=1,
        le=10**10,
        default=None,
    )


class BenchTable(Table):
    """[[bench]]: SystemVerilog of your own, and the cocotb modules that exercise it.

    Paths are relative to the file that holds the table.
    """

    name: Text = key("Name of the bench in tables and reports.", "fifo")
    top: Texts = key("Top module; a list runs the bench once for each.", "fifo")
    modules: Texts = key("cocotb test modules (Python).", "test_fifo")
    sources: Texts = key("SystemVerilog files; * and ** match several.", "rtl/*.sv", default=[])
    filelists: Texts = key("Files as given to a simulator's -f.", "files.f", default=[])
    include_dirs: Texts = key("Folders of files to `include.", "rtl/include", default=[])
    defines: dict[str, Scalar] = key("Preprocessor macros.", {"SIMULATION": True}, default={})
    parameters: dict[str, Axis] = key(
        "Parameters of the top; a list runs the bench once for each value.",
        {"Depth": [4, 16]},
        default={},
    )
    verilator_args: Texts = key("Further arguments of Verilator.", ["-Wno-WIDTH"], default=[])
    waivers: Texts = key("Verilator control files (.vlt).", "rtl/waivers.vlt", default=[])
    python_paths: Texts = key(
        "Where the test modules are; by default the folder of this file.", "bench", default=[]
    )
    environment: dict[str, str] = key(
        "Environment variables of the simulation.", {"FIFO_MODE": "fast"}, default={}
    )
    lint: bool = key("Demand that Verilator -Wall is quiet.", True, default=False)
    timeout: WallClock | None = key(
        "Wall clock after which a run is stopped and counts as failed.", "60s", default=None
    )


class PayloadFile(Table):
    """payload.toml: the whole description of a payload."""

    model_config = ConfigDict(title="payload.toml")

    board: BoardTable = key("What holds for the whole payload.")
    memory: dict[Name, MemoryTable] = key("ECC-protected memories.", default={})
    rail: dict[Name, RailTable] = key("Supply rails, in the order of their bits.", default={})
    packet: dict[Name, PacketTable] = key("Telemetry packets; this version makes 'housekeeping'.")
    link: LinkTable | None = key(
        "Serial line for telecommands and telemetry; by default none.",
        {"baud_divisor": 16},
        default=None,
    )
    sequencer: SequencerTable | None = key(
        "How hardened the power sequencer is; by default as [board] says.",
        {"harden": "tmr"},
        default=None,
    )
    upset: UpsetTable | None = key(
        "How often radiation flips a bit; by default nobody says.",
        {"orbit": "LEO 550km", "rate": "1e-7/bit/day"},
        default=None,
    )
    bench: list[BenchTable] = key("Your own benches, run beside ours.", default=[])


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of payload.toml, for the completion of editors."""
    schema = PayloadFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
