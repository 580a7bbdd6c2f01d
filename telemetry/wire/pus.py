# SPDX-License-Identifier: Apache-2.0
"""The secondary header of PUS-C telemetry packets, and time fields, as constructs.

    from telemetry.wire.pus import pus_fields
    from telemetry.wire.time_formats import CucFormat

    PACKET = Struct(
        *pus_fields(CucFormat(coarse_octets=4, fine_octets=2), has_p_field=True),
        "volts" / Float32b,
        "packet_error_control" / Int16ub,
    )

`cuc_times` and `cds_times` of `telemetry.wire.time_codes` turn the columns of the time fields into
times.
"""

from typing import Any

from construct import (
    BitStruct,
    BytesInteger,
    Int8ub,
    Int16ub,
    Int24ub,
    Int32ub,
    Int64ub,
    Nibble,
    Padding,
    Struct,
)

from telemetry.wire.time_formats import CcsFormat, CdsFormat, CucFormat, TimeFormat

PUS_C_VERSION = 2  # ECSS-E-ST-70-41C 7.4.3.1: the TM packet PUS version number.

_INTEGERS = {1: Int8ub, 2: Int16ub, 3: Int24ub, 4: Int32ub, 8: Int64ub}


def pus_fields(
    time: TimeFormat | None = None, *, has_p_field: bool = False, spare_octets: int = 0
) -> tuple[Any, ...]:
    """Return the fields of the telemetry secondary header (ECSS-E-ST-70-41C 7.4.3.1), in order.

    The default time is CUC of 4 + 2 octets. The spare field is the mission's padding to whole
    words.
    """
    spare = (Padding(spare_octets),) if spare_octets else ()
    return (
        "pus" / BitStruct("version" / Nibble, "time_reference_status" / Nibble),
        "service_type" / Int8ub,
        "message_subtype" / Int8ub,
        "message_type_counter" / Int16ub,
        "destination_id" / Int16ub,
        *time_fields(time or CucFormat(), has_p_field=has_p_field),
        *spare,
    )


def pus_header(
    time: TimeFormat | None = None, *, has_p_field: bool = False, spare_octets: int = 0
) -> Any:
    """Return the same as one Struct, to be named: `"header" / pus_header()`."""
    return Struct(*pus_fields(time, has_p_field=has_p_field, spare_octets=spare_octets))


def time_fields(time: TimeFormat, *, has_p_field: bool = False) -> tuple[Any, ...]:
    """Return a time code as fields of raw counts, behind `time_p_field` where it has one.

    CUC: `time_coarse`, `time_fine`. CDS: `time_days`, `time_ms`, and `time_us` or `time_ps` of the
    millisecond. CCS: `time_digits`, octets of two decimal digits.
    """
    head = ("time_p_field" / _unsigned(len(time.p_field)),) if has_p_field else ()
    if isinstance(time, CcsFormat):
        return (*head, "time_digits" / Int8ub[time.octets])
    if isinstance(time, CdsFormat):
        parts = {0: (), 2: ("time_us" / Int16ub,), 4: ("time_ps" / Int32ub,)}
        days = "time_days" / _unsigned(time.day_octets)
        return (*head, days, "time_ms" / Int32ub, *parts[time.submillisecond_octets])
    fine = ("time_fine" / _unsigned(time.fine_octets),) if time.fine_octets else ()
    return (*head, "time_coarse" / _unsigned(time.coarse_octets), *fine)


def _unsigned(octets: int) -> Any:
    return _INTEGERS[octets] if octets in _INTEGERS else BytesInteger(octets)
