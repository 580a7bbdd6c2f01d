# SPDX-License-Identifier: Apache-2.0
"""Checked tables to the frozen records of the floors below."""

from collections.abc import Mapping

from fw_tools.ecc.records import MemorySpec
from fw_tools.power.records import FaultResponses, HardTrip, OnUpset, PowerGood, RailSpec
from fw_tools.pus.identifiers import NO_TIME_REPORTS
from fw_tools.spec.hardening import Hardening, UpsetBound
from fw_tools.spec.records import (
    CalibrationSpec,
    FieldSpec,
    LimitsSpec,
    LinkSpec,
    PacketSpec,
    UpsetRates,
)
from fw_tools.spec.schema import (
    BoardTable,
    CalibrationTable,
    HardenedTable,
    HardTripTable,
    LimitsTable,
    LinkTable,
    MemoryTable,
    PacketTable,
    RailTable,
    UpsetTable,
)


def memory_spec(name: str, table: MemoryTable) -> MemorySpec:
    """Return the record of one memory."""
    return MemorySpec(
        name=name,
        data_bits=table.data_bits,
        words=table.words,
        code=str(table.code),
        scrub_interval_us=table.scrub_interval,
    )


def upset_rates(table: UpsetTable) -> UpsetRates:
    """Return the record of [upset]; what has no rate of its own has that of any bit."""
    return UpsetRates(
        orbit=table.orbit,
        flip_flop=float(table.flip_flop_rate or table.rate),
        memory=float(table.memory_rate or table.rate),
        configuration=float(table.configuration_rate or table.rate),
        configuration_bits=table.configuration_bits,
    )


def hardening(block: str, table: HardenedTable | None, board: BoardTable) -> Hardening:
    """Return what is asked of one block; the board has what its table, if any, leaves out."""
    bound = (table and table.upset_bound) or board.upset_bound
    return Hardening(
        block=block,
        harden=(table and table.harden) or board.harden,
        bound=UpsetBound(silent_ppm=bound.silent, hang_ppm=bound.hang),
    )


def rail_spec(name: str, table: RailTable, on_upset: OnUpset) -> RailSpec:
    """Return the record of one rail; `on_upset` is the board's, where the rail has none."""
    return RailSpec(
        name=name,
        nominal_mv=table.volts,
        rated_ma=table.amps,
        after=tuple(table.after),
        keep_alive=table.keep_alive,
        ramp_min_us=table.ramp[0],
        ramp_max_us=table.ramp[1],
        timeout_us=table.timeout,
        settle_us=table.settle,
        off_timeout_us=table.off.timeout,
        power_good=PowerGood(
            input=table.pg.input,
            on_percent=table.pg.on,
            off_percent=table.pg.off,
            filter_us=table.pg.filter,
        ),
        hard_trip=_hard_trip(table.hard_trip),
        on_fault=FaultResponses(**dict(table.on_fault)),
        on_upset=table.on_upset or on_upset,
    )


def _hard_trip(table: HardTripTable | None) -> HardTrip | None:
    if table is None:
        return None
    return HardTrip(input=table.input, limit_ma=table.amps, blank_us=table.blank)


def link_spec(table: LinkTable) -> LinkSpec:
    """Return the record of the link."""
    rate = NO_TIME_REPORTS if table.time_report_rate is None else table.time_report_rate
    return LinkSpec(
        baud_divisor=table.baud_divisor,
        flash_octets=1024 * (table.flash or 0),
        slot_octets=1024 * (table.slot or 0),
        time_report_rate=rate,
    )


def packet_spec(name: str, table: PacketTable, bits: Mapping[str, int]) -> PacketSpec:
    """Return the record of one packet; `bits` is the width of every source it uses."""
    return PacketSpec(
        name=name,
        apid=table.apid,
        structure_id=table.structure_id,
        destination_id=table.destination_id,
        period_us=table.period,
        fields=tuple(
            FieldSpec(
                name=field.name,
                source=field.source,
                bits=field.bits or bits[field.source],
                unit=field.unit,
                calibration=_calibration(field.calibration),
                limits=_limits(field.limits),
            )
            for field in table.fields
        ),
    )


def _calibration(table: CalibrationTable | None) -> CalibrationSpec | None:
    if table is None:
        return None
    return CalibrationSpec(
        polynomial=tuple(table.polynomial or ()),
        spline=tuple(table.spline or ()),
        extrapolate=table.extrapolate,
        table=tuple(table.table or ()),
    )


def _limits(table: LimitsTable | None) -> LimitsSpec | None:
    if table is None:
        return None
    return LimitsSpec(warning=table.warning, alarm=table.alarm, persistence=table.persistence)
