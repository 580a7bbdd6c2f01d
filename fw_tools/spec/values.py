# SPDX-License-Identifier: Apache-2.0
"""Types of the values in a description: how each is read, and how editors are told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from fw_tools.power.records import FaultResponse, OnUpset
from fw_tools.spec import names, rates
from fw_tools.spec.findings import suggestion
from fw_tools.spec.hardening import Harden
from fw_tools.spec.profiles import Profile
from fw_tools.spec.quantities import (
    CURRENT,
    FREQUENCY,
    PERCENT,
    SHARE,
    SIZE,
    TIME,
    VOLTAGE,
    Dimension,
    parse_between,
    parse_window,
)

LONGEST_TIME = "1000s"
_LONGEST_UNIT = 16  # Units stand in comments of generated code.


class Code(StrEnum):
    """Error-correcting codes of a memory."""

    HSIAO = "hsiao"


@dataclass(frozen=True, eq=False)
class Parsed:
    """Marks a type whose value `parse` returns, or `ValueError` with the words for the user."""

    parse: Callable[[object], Any]
    schema: dict[str, Any]  # JSON Schema of the value in the file.

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> Any:
        return dict(self.schema)


def _pattern(dimension: Dimension) -> str:
    return rf"[0-9]+(\.[0-9]+)?\s*({'|'.join(dimension.units)})"


def _quantity(dimension: Dimension, lowest: str, highest: str) -> Parsed:
    return Parsed(
        lambda value: parse_between(value, dimension, lowest, highest),
        {"type": "string", "pattern": f"^{_pattern(dimension)}$"},
    )


def _window(highest: str) -> Parsed:
    end = _pattern(TIME)
    return Parsed(
        lambda value: parse_window(value, highest),
        {"type": "string", "pattern": rf"^{end}\s*\.\.\s*{end}$"},
    )


def _choice(enumeration: type[StrEnum]) -> Parsed:
    known = [str(member) for member in enumeration]

    def parse(value: object) -> StrEnum:
        if isinstance(value, str) and value in known:
            return enumeration(value)
        raise ValueError(f"unknown value {value!r}; {suggestion(str(value), known)}")

    return Parsed(parse, {"type": "string", "enum": known})


def _parse_name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a name in quotes, got {value}")
    return names.check_identifier(value)


def _parse_unit(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a unit in quotes, got {value}")
    if len(value) > _LONGEST_UNIT or not value.isprintable() or set(value) & set("\"'\\"):
        raise ValueError(f"{value!r} is no unit: at most {_LONGEST_UNIT} letters, no quotes")
    return value


def _parse_clock(value: object) -> int:
    clock_hz = parse_between(value, FREQUENCY, "1MHz", "1000MHz")
    if clock_hz % 1_000_000:
        raise ValueError(f"{value!r} is no whole number of MHz; times are counted in microseconds")
    return clock_hz


def _parse_scalar(value: object) -> bool | int | Decimal | str:
    if isinstance(value, bool | int | Decimal | str):
        return value
    raise ValueError("expected a number, true, false or text in quotes")


def _parse_axis(value: object) -> list[bool | int | Decimal | str]:
    if not isinstance(value, list):
        return [_parse_scalar(value)]
    if not value:
        raise ValueError("is empty; give at least one value")
    return [_parse_scalar(item) for item in value]


def parse_number(value: object) -> Decimal:
    """Return a finite number of the file exactly; `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        shown = repr(value) if isinstance(value, str) else value
        raise ValueError(f"expected a number, got {shown}")
    if not Decimal(value).is_finite():
        raise ValueError(f"expected a finite number, got {value}")
    return Decimal(value)


def _parse_point(value: object) -> tuple[Decimal, Decimal]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("expected a pair [raw, engineering]")
    return parse_number(value[0]), parse_number(value[1])


def parse_bounds(value: object) -> tuple[Decimal | None, Decimal | None]:
    """Return (low, high) of a range such as [-10, 85]; None for -inf and inf.

    Raises `ValueError` when it is no pair of numbers, bounds nothing, or its ends are swapped.
    """
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("expected [low, high], with -inf or inf where there is no bound")
    low = None if value[0] == Decimal("-inf") else parse_number(value[0])
    high = None if value[1] == Decimal("inf") else parse_number(value[1])
    if low is None and high is None:
        raise ValueError("[-inf, inf] bounds nothing; leave it out")
    if low is not None and high is not None and low > high:
        raise ValueError(f"limits in the wrong order: low {low} is above high {high}")
    return low, high


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[
    str,
    Parsed(_parse_name, {"type": "string", "pattern": names.PATTERN, "maxLength": names.LONGEST}),
]
Unit = Annotated[str, Parsed(_parse_unit, {"type": "string", "maxLength": _LONGEST_UNIT})]
Volts = Annotated[int, _quantity(VOLTAGE, "1mV", "1000V")]  # mV
Amps = Annotated[int, _quantity(CURRENT, "1mA", "1000A")]  # mA
Duration = Annotated[int, _quantity(TIME, "1us", LONGEST_TIME)]  # us
DurationOrNone = Annotated[int, _quantity(TIME, "0us", LONGEST_TIME)]  # us
# Counted in 32 bits of clocks, at up to 1000 MHz.
ScrubInterval = Annotated[int, _quantity(TIME, "1us", "4s")]  # us
Window = Annotated[tuple[int, int], _window(LONGEST_TIME)]  # us
Period = Annotated[int, _quantity(TIME, "1ms", "1h")]  # us
FlashSize = Annotated[int, _quantity(SIZE, "64KiB", "16MiB")]  # KiB
WallClock = Annotated[int, _quantity(TIME, "1ms", "24h")]  # us
Percent = Annotated[int, _quantity(PERCENT, "1%", "100%")]
Clock = Annotated[
    int, Parsed(_parse_clock, {"type": "string", "pattern": f"^{_pattern(FREQUENCY)}$"})
]  # Hz
HardenName = Annotated[Harden, _choice(Harden)]
UpsetShare = Annotated[int, _quantity(SHARE, "0%", "100%")]  # ppm
ProfileName = Annotated[Profile, _choice(Profile)]
Upset = Annotated[OnUpset, _choice(OnUpset)]
Response = Annotated[FaultResponse, _choice(FaultResponse)]
CodeName = Annotated[Code, _choice(Code)]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[
    list[Text],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Rate = Annotated[
    Decimal, Parsed(rates.parse_rate, {"type": "string", "pattern": rates.PATTERN})
]  # Upsets of a bit in a day.
Number = Annotated[Decimal, Parsed(parse_number, {"type": "number"})]
_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
Point = Annotated[tuple[Decimal, Decimal], Parsed(_parse_point, _PAIR)]
Bounds = Annotated[tuple[Decimal | None, Decimal | None], Parsed(parse_bounds, _PAIR)]
_SCALAR = {"type": ["boolean", "integer", "number", "string"]}
Scalar = Annotated[bool | int | Decimal | str, Parsed(_parse_scalar, _SCALAR)]
Axis = Annotated[
    list[bool | int | Decimal | str],
    Parsed(_parse_axis, {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}),
]
