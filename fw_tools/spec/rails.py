# SPDX-License-Identifier: Apache-2.0
"""What must hold between rails; most rules are `fw_tools.power.checks`.

A rail with a mistake keeps its good values, and something stands in for the others. It does so
twice, with different values: what is found both times does not come from what stands in.
"""

from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from fw_tools.power.checks import RailFinding, rail_findings
from fw_tools.spec.build import rail_spec
from fw_tools.spec.draft import Draft
from fw_tools.spec.findings import nearest
from fw_tools.spec.schema import RailTable

_ROUNDS = 4  # Of repairs; what comes to light in the second is inside of what was put right.


def check_rails(draft: Draft) -> None:
    """Add what the rules of rails find."""
    found, others = (_findings(draft, is_other) for is_other in (False, True))
    for finding in found:
        if finding not in others:
            continue  # About a value that only stands in.
        keys = finding.key.split(".") if finding.key else ()
        where = ": ".join(("rail " + finding.rail, *filter(None, [finding.key])))
        draft.findings.add(("rail", finding.rail, *keys), where, finding.message)


def _findings(draft: Draft, is_other: bool) -> list[RailFinding]:
    raw = draft.raw("rail")
    tables = {
        name: table or _repaired(raw[name], _stand_in(number, is_other))
        for number, (name, table) in enumerate(draft.rails.items())
    }
    specs = [rail_spec(name, table, draft.on_upset) for name, table in tables.items()]
    message = "answers an over-current trip, but the rail has no 'hard_trip'"
    return [
        *rail_findings(specs),
        *(
            RailFinding(name, "on_fault.oc", message)
            for name, table in tables.items()
            if not table.hard_trip and "oc" in table.on_fault.model_fields_set
        ),
    ]


def _stand_in(number: int, is_other: bool) -> dict[str, Any]:
    """Return sound values that fit to whatever else the rail has, as far as may be."""
    mark, n = ("b", 2) if is_other else ("a", 1)
    return {
        "volts": f"{n}V",
        "amps": f"{n}mA",
        "keep_alive": is_other,
        "ramp": f"0us..{n}ms",
        "timeout": f"{14 + n}s",
        "pg": {
            "input": f"pg_{mark}_{number}",
            "on": f"{101 - n}%",
            "off": f"{n}%",
            "filter": "1us",
        },
        "off": {"timeout": f"{14 + n}s"},
        "hard_trip": {"input": f"oc_{mark}_{number}", "amps": f"{900 + n}A", "blank": "1us"},
    }


def _repaired(raw: dict[str, Any], stand_in: dict[str, Any]) -> RailTable:
    """Return the rail of `raw` with the broken values, and only these, from `stand_in`."""
    values = deepcopy(raw)
    for _ in range(_ROUNDS):
        try:
            return RailTable.model_validate(values)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                is_unknown = detail["type"] == "extra_forbidden"
                _replace(values, detail["loc"], stand_in, is_unknown)
    return RailTable.model_validate(stand_in)


def _replace(
    values: dict[str, Any], loc: tuple[str | int, ...], stand_in: dict[str, Any], is_unknown: bool
) -> None:
    first, *inner = (step for step in loc if isinstance(step, str))
    if inner and isinstance(values.get(first), dict):
        _replace(values[first], tuple(inner), stand_in.get(first, {}), is_unknown)
        return
    values.pop(first, None)
    key = nearest(first, RailTable.model_fields) if is_unknown else first  # What it means.
    if key in stand_in and key not in values:
        values[key] = deepcopy(stand_in[key])
