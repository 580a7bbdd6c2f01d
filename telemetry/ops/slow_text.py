# SPDX-License-Identifier: Apache-2.0
"""What makes a definition slow, in words, and as JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from telemetry.columns.plan import Fallback, Slowness
from telemetry.common.text import count, printable

_SHOWN = 8  # Fields of one definition.


def slow_lines(slow: Iterable[Slowness]) -> Iterator[str]:
    """Yield which fields are read packet by packet, why, and what would be faster."""
    for found in slow:
        yield f"  Slow: {printable(found.label)}: {_what(found)}"
        for fallback in found.fallbacks[:_SHOWN]:
            yield f"    {printable(_text(fallback))}"
        if len(found.fallbacks) > _SHOWN:
            yield f"    ... and {len(found.fallbacks) - _SHOWN:,} more"


def _what(found: Slowness) -> str:
    number = len({fallback.path for fallback in found.fallbacks})
    fields = count(number, "field")
    if found.is_whole:
        return f"packets are parsed one by one, because of {fields}"
    verb = "is" if number == 1 else "are"
    return f"{fields} {verb} read packet by packet, the others many at a time"


def _text(fallback: Fallback) -> str:
    return f"{fallback}; faster: {fallback.remedy}" if fallback.remedy else str(fallback)


def slow_record(slow: Iterable[Slowness]) -> list[dict[str, Any]]:
    """Return the same, ready for JSON."""
    return [
        {
            "definition": found.label,
            "whole_packets": found.is_whole,
            "fields": [
                {"path": f.path, "reason": f.reason, "faster": f.remedy} for f in found.fallbacks
            ],
        }
        for found in slow
    ]
