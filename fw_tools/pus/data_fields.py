# SPDX-License-Identifier: Apache-2.0
"""The data of every telecommand and report, as construct definitions by (service, subtype).

ECSS-E-ST-70-41C clause 8, with the sizes of this mission. A definition reads the data field alone:
what stands between the secondary header and the CRC.
"""

from typing import Any

from construct import (
    Bytes,
    GreedyBytes,
    Int8ub,
    Int16ub,
    Int32ub,
    PrefixedArray,
    Struct,
    Terminated,
    this,
)

from fw_tools.pus.packets import TIME

Kind = tuple[int, int]  # Service, subtype.

_NOTHING = Struct(Terminated)
_REQUEST = Struct("request_id" / Bytes(4), Terminated)
_FAILURE = Struct("request_id" / Bytes(4), "code" / Int16ub, "value" / Int32ub, Terminated)
_STRUCTURES = Struct("structures" / PrefixedArray(Int8ub, Int16ub), Terminated)
_EVENTS = Struct("events" / PrefixedArray(Int8ub, Int16ub), Terminated)
_AREA = Struct("address" / Int32ub, "length" / Int16ub)
_AREAS = Struct("memory_id" / Int8ub, "areas" / PrefixedArray(Int8ub, _AREA), Terminated)
_LONG_AREA = Struct("address" / Int32ub, "length" / Int32ub)
_VALUE = Struct("id" / Int16ub, "value" / Int32ub)
_VALUES = Struct("parameters" / PrefixedArray(Int8ub, _VALUE), Terminated)
_INTERVAL = Struct("structure_id" / Int16ub, "interval_ms" / Int32ub)
_DATA_AREA = Struct(
    "address" / Int32ub,
    "length" / Int16ub,
    "data" / Bytes(this.length),
    "checksum" / Int16ub,
)
_DATA_AREAS = Struct("memory_id" / Int8ub, "areas" / PrefixedArray(Int8ub, _DATA_AREA), Terminated)
_EVENT = Struct("event_id" / Int16ub, "data" / Int32ub, Terminated)

TELECOMMANDS: dict[Kind, Any] = {
    (3, 5): _STRUCTURES,
    (3, 6): _STRUCTURES,
    (3, 27): _STRUCTURES,
    (3, 31): Struct("intervals" / PrefixedArray(Int8ub, _INTERVAL), Terminated),
    (5, 5): _EVENTS,
    (5, 6): _EVENTS,
    (6, 2): _DATA_AREAS,
    (6, 5): _AREAS,
    (6, 9): _AREAS,
    (6, 128): Struct("memory_id" / Int8ub, "areas" / PrefixedArray(Int8ub, _LONG_AREA), Terminated),
    (6, 129): Struct("memory_id" / Int8ub, "areas" / PrefixedArray(Int8ub, _LONG_AREA), Terminated),
    (8, 1): Struct("function_id" / Int16ub, Terminated),
    (9, 1): Struct("rate_exponent" / Int8ub, Terminated),
    (9, 128): Struct("time" / TIME, Terminated),
    (17, 1): _NOTHING,
    (20, 1): Struct("parameters" / PrefixedArray(Int8ub, Int16ub), Terminated),
    (20, 3): _VALUES,
}

REPORTS: dict[Kind, Any] = {
    (1, 1): _REQUEST,
    (1, 2): _FAILURE,
    (1, 3): _REQUEST,
    (1, 7): _REQUEST,
    (1, 8): _FAILURE,
    (1, 10): _FAILURE,
    (3, 25): Struct("structure_id" / Int16ub, "fields" / GreedyBytes),
    (5, 1): _EVENT,
    (5, 2): _EVENT,
    (5, 3): _EVENT,
    (5, 4): _EVENT,
    (6, 6): _DATA_AREAS,
    (6, 10): Struct(
        "memory_id" / Int8ub,
        "areas"
        / PrefixedArray(
            Int8ub, Struct("address" / Int32ub, "length" / Int16ub, "checksum" / Int16ub)
        ),
        Terminated,
    ),
    (6, 130): Struct(
        "memory_id" / Int8ub,
        "areas"
        / PrefixedArray(Int8ub, Struct("address" / Int32ub, "length" / Int32ub, "crc" / Int32ub)),
        Terminated,
    ),
    (17, 2): _NOTHING,
    (20, 2): _VALUES,
}

# TM[9,2] has no secondary header, and APID 0 (ECSS-E-ST-70-41C 8.9.2.2).
TIME_REPORT = Struct("rate_exponent" / Int8ub, "time" / TIME, Terminated)
