# SPDX-License-Identifier: Apache-2.0
"""NOAA-20 (JPSS-1) spacecraft ephemeris and attitude: APID 11, one packet of 71 octets a second.

    fw-telemetry decode DUMP --definition examples/noaa20_geolocation.py:PACKET -o noaa20.csv

Field names are those of the JPSS database. Days count from 1958-01-01. The packets carry no CRC.
"""

from construct import Float32b, Int8ub, Int16ub, Int32ub, Struct

PACKET = Struct(
    # Secondary header: CCSDS day segmented time.
    "DOY" / Int16ub,  # days
    "MSEC" / Int32ub,  # milliseconds of the day
    "USEC" / Int16ub,  # microseconds of the millisecond
    "ADAESCID" / Int8ub,  # spacecraft identifier
    # Ephemeris: valid time, position and velocity in the Earth-fixed frame.
    "ADAET1DAY" / Int16ub,
    "ADAET1MS" / Int32ub,
    "ADAET1US" / Int16ub,
    "ADGPSPOSX" / Float32b,  # m
    "ADGPSPOSY" / Float32b,
    "ADGPSPOSZ" / Float32b,
    "ADGPSVELX" / Float32b,  # m/s
    "ADGPSVELY" / Float32b,
    "ADGPSVELZ" / Float32b,
    # Attitude: valid time and quaternion, the scalar last.
    "ADAET2DAY" / Int16ub,
    "ADAET2MS" / Int32ub,
    "ADAET2US" / Int16ub,
    "ADCFAQ1" / Float32b,
    "ADCFAQ2" / Float32b,
    "ADCFAQ3" / Float32b,
    "ADCFAQ4" / Float32b,
)
