# SPDX-License-Identifier: Apache-2.0
"""What the names of framings with a number in them say."""

import re

from telemetry.wire.framing.prefixed import LengthField

_LENGTH = re.compile(r"length:(?:1|([24])(be|le))(:inclusive)?")
_FIXED = re.compile(r"fixed:([1-9][0-9]{0,6})")


def read_length(name: str) -> LengthField | None:
    """Return the field of `length:2be`; None if this is no such name."""
    match = _LENGTH.fullmatch(name)
    if match is None:
        return None
    octets, order, inclusive = match.groups()
    return LengthField(
        octets=int(octets or 1),
        order="little" if order == "le" else "big",
        is_inclusive=bool(inclusive),
    )


def read_fixed(name: str) -> int | None:
    """Return the octets of `fixed:70`; None if this is no such name."""
    match = _FIXED.fullmatch(name)
    return int(match[1]) if match else None
