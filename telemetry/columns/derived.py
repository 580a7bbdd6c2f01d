# SPDX-License-Identifier: Apache-2.0
"""`telemetry.derived`: a parameter that is computed on the ground and takes no octets."""

from typing import Any

import construct

from telemetry.columns.field import Field, Meaning
from telemetry.columns.limits import as_limits


def derived(
    expression: Any,
    *,
    unit: str = "",
    limits: Any = None,
    description: str = "",
    valid_if: Any = None,
) -> Field:
    """Return a field for a Struct: `"power" / derived(this.volts * this.amps, unit="W")`.

    `expression` is written with construct's `this`, or is a function of the columns
    (`lambda packet: packet.volts * packet.amps`); it sees engineering values of the fields before
    it, as float64, and derived ones too. construct itself parses None here and builds nothing.
    """
    meaning = Meaning(
        unit=unit,
        limits=as_limits(limits),
        description=description,
        valid_if=valid_if,
        derived=expression,
    )
    return Field(construct.Pass, meaning)
