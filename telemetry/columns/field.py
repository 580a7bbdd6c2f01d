# SPDX-License-Identifier: Apache-2.0
"""`telemetry.field`: what the number of a field means, said where the field is declared.

The meaning never touches the octets: a `Field` parses, builds and measures exactly as the construct
that it wraps.
"""

from dataclasses import dataclass
from typing import Any

import construct

from telemetry.columns.calibration import Calibration, as_calibration
from telemetry.columns.limits import Limits, as_limits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Meaning:
    """What the raw count of a field stands for; `None` or "" is what was not said."""

    unit: str = ""  # Of the engineering value; of the raw value where there is no calibration.
    calibration: Calibration | None = None
    limits: Limits | None = None  # On the engineering value, or the raw one.
    description: str = ""
    valid_if: Any = None  # A `this` expression or a function; invalid values are flagged.
    derived: Any = None  # The expression of a derived parameter, which has no octets of its own.


class Field(construct.Subconstruct):  # type: ignore[misc]  # construct carries no types.
    """A construct with a `meaning`; parse, build and sizeof are those of `subcon`."""

    def __init__(self, subcon: Any, meaning: Meaning) -> None:
        super().__init__(subcon)
        self.meaning = meaning
        self.docs = meaning.description or subcon.docs

    def __getattr__(self, name: str) -> Any:
        """Give what the wrapped construct has, such as the names of an Enum."""
        if name == "subcon":  # Not set yet, while a copy is made.
            raise AttributeError(name)
        return getattr(self.subcon, name)

    def _emitparse(self, code: Any) -> Any:
        return self.subcon._compileparse(code)

    def _emitbuild(self, code: Any) -> Any:
        return self.subcon._compilebuild(code)


def field(
    subcon: Any,
    *,
    unit: str = "",
    calibration: Any = None,
    limits: Any = None,
    description: str = "",
    valid_if: Any = None,
) -> Any:
    """Return `subcon` with a meaning: `"volts" / field(Int16ub, unit="V", calibration=(0, 0.01))`.

    `calibration` and `limits` may be written short, see `as_calibration` and `as_limits`.
    `valid_if` is a condition on other fields: `this.sensor == "ON"`. Around an array, the meaning
    is that of each element. A name that `subcon` already has is kept.

    Raises `InputError` for what is no calibration or no limits at all. Wrong numbers in them are
    told when the definition is loaded, all at once and with the names of their fields.
    """
    meaning = Meaning(
        unit=unit,
        calibration=as_calibration(calibration),
        limits=as_limits(limits),
        description=description,
        valid_if=valid_if,
    )
    if isinstance(subcon, construct.Renamed):
        inner = Field(subcon.subcon, meaning)
        return construct.Renamed(inner, subcon.name, subcon.docs, subcon.parsed)
    return Field(subcon, meaning)
