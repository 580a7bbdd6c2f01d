# SPDX-License-Identifier: Apache-2.0
"""Packets into frames: the reverse of what `framing` takes apart."""

from collections.abc import Callable
from typing import TypeAlias

from telemetry.errors import InputError
from telemetry.wire.framing.cobs import encode_cobs
from telemetry.wire.framing.kiss import encode_kiss
from telemetry.wire.framing.names import read_fixed, read_length
from telemetry.wire.framing.prefixed import LengthField
from telemetry.wire.framing.slip import encode_slip

Wrap: TypeAlias = Callable[[bytes], bytes]

_DELIMITED: dict[str, Wrap] = {
    "none": bytes,
    "kiss": encode_kiss,
    "slip": encode_slip,
    "cobs": encode_cobs,
}


def wrapping(name: str, *, prefix: bytes = b"", has_primary_header: bool = True) -> Wrap:
    """Return what puts a packet into the frame that `framing` of this name takes it from.

    `prefix` stands before each packet, where `framing` skips as many octets. Packets in `fixed:N`
    are filled up with zeros, which say that no packet follows; without a primary header they must
    be of that size. The name is one that `framing` knows. What is returned raises `InputError` for
    a packet that does not fit.
    """
    if name in _DELIMITED:
        encode = _DELIMITED[name]
        return lambda packet: encode(prefix + packet)
    if (field := read_length(name)) is not None:
        return lambda packet: _with_length(field, prefix + packet)
    octets = read_fixed(name)
    if octets is None:
        raise ValueError(f"{name!r} is no framing")
    return lambda packet: prefix + _filled(packet, octets, can_fill=has_primary_header)


def _with_length(field: LengthField, payload: bytes) -> bytes:
    try:
        return field.encode(payload)
    except OverflowError:
        most = (1 << 8 * field.octets) - 1 - field.octets * field.is_inclusive
        raise InputError(
            f"a frame of {len(payload):,} bytes; this length field tells of up to {most:,}"
        ) from None


def _filled(packet: bytes, octets: int, *, can_fill: bool) -> bytes:
    if len(packet) > octets or (len(packet) < octets and not can_fill):
        least = " up to" if can_fill else ""
        raise InputError(
            f"{len(packet):,} bytes; a frame of fixed:{octets} takes{least} {octets:,}"
        )
    return packet.ljust(octets, b"\0")
