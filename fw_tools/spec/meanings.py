# SPDX-License-Identifier: Apache-2.0
"""What must hold of the calibration and the limits of a packet's field."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from fw_tools.spec.draft import Draft
from fw_tools.spec.sources import has_names
from fw_tools.spec.toml_source import KeyPath
from fw_tools.spec.values import parse_bounds, parse_number

_Parsed = TypeVar("_Parsed")
_FORMS = ("polynomial", "spline", "table")


def check_meaning(draft: Draft, path: KeyPath, where: str, field: dict[str, Any]) -> None:
    """Add mistakes in what a field says of its numbers, beyond the form of each key."""
    for name, check in (("calibration", _calibration_mistakes), ("limits", _limit_mistakes)):
        table = field.get(name)
        if not isinstance(table, dict):
            continue
        if has_names(field["source"]):
            message = f"{field['source']!r} has names, not numbers; leave {name!r} out"
            draft.findings.add((*path, name), where, message)
            continue
        for message in check(table):
            draft.findings.add((*path, name), f"{where}: {name}", message)


def _calibration_mistakes(table: dict[str, Any]) -> Iterator[str]:
    given = [form for form in _FORMS if form in table]
    is_misspelt = bool(set(table) - {*_FORMS, "extrapolate"})  # The schema tells.
    if len(given) != 1 and not is_misspelt:
        got = " and ".join(given) or "none"
        yield f"expected one of {', '.join(_FORMS)}; got {got}"
    if table.get("extrapolate") and "spline" not in table:
        yield "'extrapolate' belongs to a spline"
    spline = _raw_counts(table.get("spline"))
    for before, after in pairwise(spline):
        if after <= before:
            yield f"the raw counts of a spline must rise, but {after} follows {before}"
    entries = _raw_counts(table.get("table"))
    for raw in dict.fromkeys(raw for n, raw in enumerate(entries) if raw in entries[:n]):
        yield f"the table has the raw count {raw} more than once"


def _raw_counts(points: object) -> list[Decimal]:
    """Return the first of each pair, where it is one; what is none is told by the schema."""
    pairs = points if isinstance(points, list) else []
    counts = (_parsed(parse_number, p[0]) for p in pairs if isinstance(p, list) and p)
    return [count for count in counts if count is not None]


def _limit_mistakes(table: dict[str, Any]) -> Iterator[str]:
    if not {"warning", "alarm"} & set(table):
        yield "no bound; give warning = [low, high] or alarm = [low, high]"
    warning = _parsed(parse_bounds, table.get("warning"))
    alarm = _parsed(parse_bounds, table.get("alarm"))
    if warning is None or alarm is None:
        return
    pairs = (
        ("alarm low", alarm[0], "warning low", warning[0]),
        ("alarm low", alarm[0], "warning high", warning[1]),
        ("warning low", warning[0], "alarm high", alarm[1]),
        ("warning high", warning[1], "alarm high", alarm[1]),
    )
    for lower, low, upper, high in pairs:
        if low is not None and high is not None and low > high:
            yield (
                f"limits in the wrong order: {lower} {low} is above {upper} {high}; right is "
                "alarm low <= warning low <= warning high <= alarm high"
            )
            return


def _parsed(parse: Callable[[object], _Parsed], value: object) -> _Parsed | None:
    """Return the value, or None where the schema complains of it anyway."""
    try:
        return parse(value)
    except ValueError:
        return None
