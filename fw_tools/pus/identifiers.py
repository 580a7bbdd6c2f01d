# SPDX-License-Identifier: Apache-2.0
"""Numbers on the wire that are no packet's own: acknowledgement flags, memories, functions, limits.

ECSS-E-ST-70-41C (PUS-C) leaves them to the mission, except for the flags.
"""

from enum import IntEnum, IntFlag

PUS_VERSION = 2  # ECSS-E-ST-70-41C 7.4.4.1: the TC packet PUS version number of PUS-C.
CUC_P_FIELD = 0x2E  # CCSDS 301.0-B 3.2.2: agency epoch, 4 octets of seconds, 2 of fraction.
UNITS_PER_SECOND = 1 << 16  # Of the fraction.
UNSEGMENTED = 0b11  # CCSDS 133.0-B 4.1.3.4.2: the packet is whole.
MOST_TIME_RATE = 8  # Exponent: a time report every 256 s.
NO_TIME_REPORTS = 255  # Rate exponential value that stops them.
TIME_APID = 0  # ECSS-E-ST-70-41C 6.9.4.2: of time reports.

FLASH_SECTOR_OCTETS = 4096  # What TC[6,128] erases at least.
LONGEST_AREA = 1024  # Octets of one memory area in one packet.
LONGEST_TC = 6 + 5 + 8 + LONGEST_AREA + 2 + 2  # Octets of TC[6,2]: headers, place, data, two CRCs.
LONGEST_TM = 1060  # Room for TM[6,6], which has 1,056.
MOST_PARAMETERS = 32  # In one command.
MOST_EVENTS = 16
SHORTEST_INTERVAL_MS = 10  # Of housekeeping.
REPEATS_KEPT = 16  # Commands whose repeats are known.

EVENT_LOG_RECORDS = 64
EVENT_LOG_RECORD_OCTETS = 12


class Ack(IntFlag):
    """Reports of success that a command asks for (ECSS-E-ST-70-41C 7.4.4.1)."""

    NONE = 0
    COMPLETION = 1
    PROGRESS = 2
    START = 4
    ACCEPTANCE = 8
    ALL = 13  # What there is to ask for: no command makes progress reports.


class MemoryId(IntEnum):
    """Memories that every payload has; its own are numbered from 1 in order of description."""

    EVENT_LOG = 0xE0
    FLASH = 0xF0


class Function(IntEnum):
    """Functions of TC[8,1]."""

    POWER_UP = 1
    POWER_DOWN = 2
    CLEAR_FAULTS = 3
    CLEAR_COUNTERS = 4
    WARM_RESET = 5


class Severity(IntEnum):
    """Severity of an event: the subtype of its report (ECSS-E-ST-70-41C 6.5.3)."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
