# SPDX-License-Identifier: Apache-2.0
"""What must hold between rails; most rules are `fw_tools.power.checks`."""

from typing import Any

from fw_tools.power.checks import rail_findings
from fw_tools.power.records import RailSpec
from fw_tools.spec.build import rail_spec
from fw_tools.spec.draft import Draft
from fw_tools.spec.schema import RailTable


def check_rails(draft: Draft) -> None:
    """Add what the rules of rails find."""
    for finding in rail_findings(_rails(draft)):
        if draft.rails[finding.rail] is None and finding.key != "after":
            continue  # About a value that only stands in.
        keys = finding.key.split(".") if finding.key else ()
        where = ": ".join(("rail " + finding.rail, *filter(None, [finding.key])))
        draft.findings.add(("rail", finding.rail, *keys), where, finding.message)
    for name, rail in draft.rails.items():
        if rail and not rail.hard_trip and "oc" in rail.on_fault.model_fields_set:
            draft.findings.add(
                ("rail", name, "on_fault", "oc"),
                f"rail {name}: on_fault.oc",
                "answers an over-current trip, but the rail has no 'hard_trip'",
            )


def _rails(draft: Draft) -> tuple[RailSpec, ...]:
    return tuple(
        rail_spec(name, table or _stand_in(name, draft.raw("rail").get(name, {})), draft.on_upset)
        for name, table in draft.rails.items()
    )


def _stand_in(name: str, raw: dict[str, Any]) -> RailTable:
    """Return a sound rail in place of one with mistakes: the graph of rails stays whole."""
    after = raw.get("after")
    named = isinstance(after, list) and all(isinstance(item, str) for item in after)
    return RailTable.model_validate(
        {
            "volts": "1V",
            "amps": "1A",
            "after": after if named else [],
            "keep_alive": raw.get("keep_alive") is True,
            "ramp": "1ms..2ms",
            "timeout": "3ms",
            "pg": {"input": f"pg_{name}"[:40], "on": "95%", "off": "90%", "filter": "1us"},
            "off": {"timeout": "1ms"},
        }
    )
