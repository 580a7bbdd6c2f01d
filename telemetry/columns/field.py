# SPDX-License-Identifier: Apache-2.0
"""`telemetry.field`: what the number of a field means, said where the field is declared.

The meaning never touches the octets: a `Field` parses, builds and measures exactly as the construct
that it wraps.
"""

from dataclasses import dataclass
from typing import Any

import construct


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the raw count of a field stands for; `None` or "" is what was not said."""

    unit: str = ""  # Of the engineering value; of the raw value where there is no calibration.
    calibration: Any = None
    limits: Any = None
    description: str = ""
    valid_if: Any = None
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

    Around an array, the meaning is that of each element. A name that `subcon` already has is kept.
    """
    meaning = Meaning(
        unit=unit,
        calibration=calibration,
        limits=limits,
        description=description,
        valid_if=valid_if,
    )
    if isinstance(subcon, construct.Renamed):
        inner = Field(subcon.subcon, meaning)
        return construct.Renamed(inner, subcon.name, subcon.docs, subcon.parsed)
    return Field(subcon, meaning)
