# SPDX-License-Identifier: Apache-2.0
"""Failure codes of the verification reports TM[1,2], TM[1,8] and TM[1,10], and what they say."""

from dataclasses import dataclass
from enum import IntEnum


class RoutingFailure(IntEnum):
    """Codes of TM[1,10]."""

    NOT_OURS = 1  # Value: the APID.


class AcceptanceFailure(IntEnum):
    """Codes of TM[1,2]."""

    UNKNOWN_SERVICE = 1  # Value: the service.
    UNKNOWN_SUBTYPE = 2  # Value: the subtype.
    WRONG_LENGTH = 3  # Value: octets of the packet.
    PUS_VERSION = 4  # Value: the version.
    SEGMENTED = 5  # Value: the sequence flags.


class ExecutionFailure(IntEnum):
    """Codes of TM[1,8]."""

    UNKNOWN_MEMORY = 32  # Value: the memory ID.
    NOT_ONE_AREA = 33  # Value: how many.
    PAST_END = 34  # Value: the address.
    NOT_ALIGNED = 35  # Value: the address or the length, whichever is no multiple of the word.
    WRONG_CHECKSUM = 36  # Value: the expected one.
    NOT_WRITABLE = 37  # Value: the memory ID.
    UNCORRECTABLE = 38  # Value: the address of the word.
    FLASH_NOT_READY = 39  # Value: the address.
    WRONG_AREA_LENGTH = 40  # Value: the length.
    PROTECTED = 41  # Value: the address.
    UNKNOWN_PARAMETER = 48  # Value: its ID.
    READ_ONLY = 49  # Value: its ID.
    VALUE_REFUSED = 50  # Value: it.
    WRONG_PARAMETER_COUNT = 51  # Value: how many.
    UNKNOWN_STRUCTURE = 64  # Value: its ID.
    NOT_ONE_STRUCTURE = 65  # Value: how many.
    WRONG_INTERVAL = 66  # Value: ms.
    UNKNOWN_EVENT = 80  # Value: its ID.
    WRONG_EVENT_COUNT = 81  # Value: how many.
    UNKNOWN_FUNCTION = 96  # Value: its ID.
    UNKNOWN_TIME_CODE = 112  # Value: the P-field.
    WRONG_TIME_RATE = 113  # Value: the rate exponential value.


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure notice of a report: what was wrong, and the value that was."""

    code: int
    value: int  # 32 bit


_TEXTS: dict[int, str] = {
    AcceptanceFailure.UNKNOWN_SERVICE: "the payload has no service {value}",
    AcceptanceFailure.UNKNOWN_SUBTYPE: "the service has no subtype {value}",
    AcceptanceFailure.WRONG_LENGTH: "{value} octets are no length of this command",
    AcceptanceFailure.PUS_VERSION: "PUS version {value}; the payload speaks version 2 (PUS-C)",
    AcceptanceFailure.SEGMENTED: "sequence flags {value}; a command is one whole packet (3)",
    ExecutionFailure.UNKNOWN_MEMORY: "no memory has the ID {value:#x}",
    ExecutionFailure.NOT_ONE_AREA: "{value} memory areas; one command carries 1",
    ExecutionFailure.PAST_END: "the area at {value:#x} reaches past the end of the memory",
    ExecutionFailure.NOT_ALIGNED: "{value:#x} is no multiple of the memory's word",
    ExecutionFailure.WRONG_CHECKSUM: "the checksum of the area is wrong; expected {value:#06x}",
    ExecutionFailure.NOT_WRITABLE: "the memory {value:#x} cannot be written",
    ExecutionFailure.UNCORRECTABLE: "the word at {value:#x} has more flips than can be corrected",
    ExecutionFailure.FLASH_NOT_READY: "the flash was not ready in time at {value:#x}",
    ExecutionFailure.WRONG_AREA_LENGTH: "{value} octets; an area has 1 to 1,024",
    ExecutionFailure.PROTECTED: "the area at {value:#x} begins in the golden slot, which the boot "
    "select pin alone opens",
    ExecutionFailure.UNKNOWN_PARAMETER: "no parameter that can be used so has the ID {value}",
    ExecutionFailure.READ_ONLY: "the parameter {value} is read only",
    ExecutionFailure.VALUE_REFUSED: "the value {value:#x} is refused",
    ExecutionFailure.WRONG_PARAMETER_COUNT: "{value} parameters; one command carries 1 to 32",
    ExecutionFailure.UNKNOWN_STRUCTURE: "no housekeeping structure has the ID {value}",
    ExecutionFailure.NOT_ONE_STRUCTURE: "{value} structures; one command carries 1",
    ExecutionFailure.WRONG_INTERVAL: "an interval of {value} ms is out of range",
    ExecutionFailure.UNKNOWN_EVENT: "no event has the ID {value}",
    ExecutionFailure.WRONG_EVENT_COUNT: "{value} events; one command carries 1 to 16",
    ExecutionFailure.UNKNOWN_FUNCTION: "no function has the ID {value}",
    ExecutionFailure.UNKNOWN_TIME_CODE: "P-field {value:#04x}; the payload's time has 0x2e",
    ExecutionFailure.WRONG_TIME_RATE: "rate {value}; time reports come every 2^0 to 2^8 s, or 255",
}


def failure_text(subtype: int, failure: Failure) -> str:
    """Return in words what a report TM[1,subtype] tells."""
    if subtype == 10:
        return f"no application process of the payload has the APID {failure.value}"
    text = _TEXTS.get(failure.code)
    if text is None:
        return f"failure code {failure.code}, value {failure.value:#x}"
    return text.format(value=failure.value)
