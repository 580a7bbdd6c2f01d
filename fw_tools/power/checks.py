# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a table of rails, found before any RTL exists.

A finding carries no place: the layer that read the description knows where the rail's key stands.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches

from fw_tools.power.graph import dependants, dependency_graph, find_cycles
from fw_tools.power.records import (
    MAX_FILTER_US,
    MAX_RAILS,
    MAX_TIME_US,
    FaultResponse,
    FaultResponses,
    RailSpec,
)


@dataclass(frozen=True, slots=True)
class RailFinding:
    """One mistake: the rail, the key of the description (`pg.filter`), and what is wrong there."""

    rail: str
    key: str
    message: str


def rail_findings(rails: Sequence[RailSpec]) -> tuple[RailFinding, ...]:
    """Return every mistake of the table: rail by rail, then cycles and pins used twice.

    An empty result is what `SequencerModel` and `render_sequencer` ask for.
    """
    found: list[RailFinding] = []
    for index, rail in enumerate(rails):
        if index == MAX_RAILS:
            found.append(RailFinding(rail.name, "", f"rail {index + 1}; at most {MAX_RAILS} fit"))
        for key, message in [
            *_dependency_mistakes(rail, rails),
            *_time_mistakes(rail),
            *_level_mistakes(rail),
            *_response_mistakes(rail, rails),
        ]:
            found.append(RailFinding(rail.name, key, message))
    return (*found, *_cycles(rails), *_pins_used_twice(rails))


def clock_mistake(clock_hz: int) -> str | None:
    """Return what is wrong with the clock of a sequencer, or None. Its time base is 1 us."""
    if clock_hz >= 1_000_000 and clock_hz % 1_000_000 == 0:
        return None
    return f"{clock_hz} Hz: the sequencer counts microseconds and needs a whole number of MHz"


def _dependency_mistakes(rail: RailSpec, rails: Sequence[RailSpec]) -> Iterator[tuple[str, str]]:
    known = {other.name: other for other in rails}
    for name, times in Counter(rail.after).items():
        if times > 1:
            yield "after", f"'{name}' is named {times} times"
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            yield "after", f"unknown rail '{name}'{hint}"
        elif rail.keep_alive and not known[name].keep_alive:
            yield "after", f"keep-alive, but '{name}' is switched; make '{name}' keep-alive too"


def _time_mistakes(rail: RailSpec) -> Iterator[tuple[str, str]]:
    if rail.ramp_min_us > rail.ramp_max_us:
        yield "ramp", f"shortest {_us(rail.ramp_min_us)} is above longest {_us(rail.ramp_max_us)}"
    if rail.timeout_us < rail.ramp_max_us:
        yield (
            "timeout",
            f"{_us(rail.timeout_us)} is shorter than the longest ramp of {_us(rail.ramp_max_us)}",
        )
    filter_us = rail.power_good.filter_us
    if filter_us >= rail.timeout_us:
        yield "pg.filter", f"{_us(filter_us)} is not below timeout of {_us(rail.timeout_us)}"
    elif filter_us >= rail.ramp_max_us:
        longest = _us(rail.ramp_max_us)
        yield "pg.filter", f"{_us(filter_us)} is not below the longest ramp of {longest}"
    if filter_us >= rail.off_timeout_us:
        yield (
            "pg.filter",
            f"{_us(filter_us)} is not below off.timeout of {_us(rail.off_timeout_us)}",
        )
    yield from _times_out_of_range(rail)


def _times_out_of_range(rail: RailSpec) -> Iterator[tuple[str, str]]:
    blank_us = rail.hard_trip.blank_us if rail.hard_trip else 0
    for key, time_us, longest_us in (
        ("ramp", rail.ramp_max_us, MAX_TIME_US),
        ("timeout", rail.timeout_us, MAX_TIME_US),
        ("settle", rail.settle_us, MAX_TIME_US),
        ("off.timeout", rail.off_timeout_us, MAX_TIME_US),
        ("pg.filter", rail.power_good.filter_us, MAX_FILTER_US),
        ("hard_trip.blank", blank_us, MAX_FILTER_US),
    ):
        if time_us > longest_us:
            yield key, f"{_us(time_us)} is longer than its counter holds, {_us(longest_us)}"


def _level_mistakes(rail: RailSpec) -> Iterator[tuple[str, str]]:
    power_good = rail.power_good
    if power_good.off_percent >= power_good.on_percent:
        yield (
            "pg.off",
            f"{power_good.off_percent}% is not below pg.on of {power_good.on_percent}%",
        )
    if power_good.on_percent > 100:
        yield "pg.on", f"{power_good.on_percent}% is never reached; at most 100%"
    if rail.hard_trip and rail.hard_trip.limit_ma <= rail.rated_ma:
        yield (
            "hard_trip.amps",
            f"{_amps(rail.hard_trip.limit_ma)} trips within the rated {_amps(rail.rated_ma)}",
        )


def _response_mistakes(rail: RailSpec, rails: Sequence[RailSpec]) -> Iterator[tuple[str, str]]:
    above = dependants(dependency_graph(rails))[rail.name]
    for field in fields(FaultResponses):
        if above and getattr(rail.on_fault, field.name) is FaultResponse.KILL_RAIL:
            yield (
                f"on_fault.{field.name}",
                f"kill:rail would leave {', '.join(above)} on without it; use kill:tree",
            )


def _cycles(rails: Sequence[RailSpec]) -> Iterator[RailFinding]:
    for cycle in find_cycles(dependency_graph(rails)):
        yield RailFinding(cycle[0], "after", f"dependency cycle: {' -> '.join(cycle)}")


def _pins_used_twice(rails: Sequence[RailSpec]) -> Iterator[RailFinding]:
    first_use: dict[str, str] = {}
    for rail in rails:
        pins = [("pg.input", rail.power_good.input)]
        if rail.hard_trip:
            pins.append(("hard_trip.input", rail.hard_trip.input))
        for key, pin in pins:
            if pin in first_use:
                message = f"pin '{pin}' is already {first_use[pin]}"
                yield RailFinding(rail.name, key, message)
            first_use.setdefault(pin, f"{key} of rail {rail.name}")


def _us(time_us: int) -> str:
    return f"{time_us / 1000:g}ms" if time_us >= 1000 else f"{time_us}us"


def _amps(current_ma: int) -> str:
    return f"{current_ma / 1000:g}A"
