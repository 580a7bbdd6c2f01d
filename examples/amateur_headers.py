# SPDX-License-Identifier: Apache-2.0
"""Frames of amateur satellites with headers of CSP version 1 and of AX.25, as definitions.

These frames hold no space packets. Receivers such as gr-satellites write them to KISS files:

    fw-telemetry decode us01.kss --framing kiss --no-primary-header \\
      --definition examples/amateur_headers.py:AX25_FRAME
"""

from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    ExprAdapter,
    Flag,
    GreedyBytes,
    Int8ub,
    Nibble,
    RepeatUntil,
    Struct,
)

# CubeSat Space Protocol, header of version 1 (libcsp, csp_types.h): 32 bits, the highest first.
CSP_HEADER = BitStruct(
    "priority" / BitsInteger(2),  # 0 critical, 1 high, 2 normal, 3 low
    "source" / BitsInteger(5),
    "destination" / BitsInteger(5),
    "destination_port" / BitsInteger(6),
    "source_port" / BitsInteger(6),
    "reserved" / BitsInteger(3),
    "fragmentation" / Flag,
    "hmac" / Flag,
    "xtea" / Flag,
    "rdp" / Flag,
    "crc" / Flag,
)


def _read_callsign(octets: bytes) -> str:
    return bytes(octet >> 1 for octet in octets).decode("ascii").rstrip()


def _write_callsign(callsign: str) -> bytes:
    return bytes(octet << 1 for octet in callsign.ljust(6).encode("ascii"))


# AX.25 link access protocol, version 2.2, section 3.12: six characters, each shifted up by one bit.
AX25_ADDRESS = Struct(
    "callsign"
    / ExprAdapter(
        Bytes(6),
        lambda octets, _: _read_callsign(octets),
        lambda callsign, _: _write_callsign(callsign),
    ),
    "ssid"
    / BitStruct(
        "ch" / Flag,  # A command, or has been repeated.
        "reserved" / BitsInteger(2),
        "ssid" / Nibble,
        "extension" / Flag,  # This is the last address.
    ),
)

# The header of an unnumbered information frame.
AX25_HEADER = Struct(
    "addresses" / RepeatUntil(lambda address, *_: address.ssid.extension, AX25_ADDRESS),
    "control" / Int8ub,
    "pid" / Int8ub,
)

CSP_FRAME = Struct("header" / CSP_HEADER, "data" / GreedyBytes)
AX25_FRAME = Struct("header" / AX25_HEADER, "data" / GreedyBytes)
