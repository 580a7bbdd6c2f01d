# SPDX-License-Identifier: Apache-2.0
"""The dependency graph of rails: the order up, what hangs on a rail, cycles.

A graph maps each rail's name to the names that it comes after. Every answer keeps the order of the
mapping, so that one description always gives one text.
"""

from collections.abc import Mapping, Sequence

from fw_tools.power.records import RailSpec

Graph = Mapping[str, Sequence[str]]


def dependency_graph(rails: Sequence[RailSpec]) -> dict[str, tuple[str, ...]]:
    """Return each rail with the rails it comes after; names that are no rail are left out."""
    names = {rail.name for rail in rails}
    return {rail.name: tuple(name for name in rail.after if name in names) for rail in rails}


def dependants(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return each rail with the rails that come directly after it."""
    return {name: tuple(other for other in graph if name in graph[other]) for name in graph}


def kill_tree(graph: Graph, name: str) -> tuple[str, ...]:
    """Return the rails that depend on `name`, directly or not; `name` itself is not among them.

    These go off at once with it. (On a cycle a rail depends on itself and is among them.)
    """
    direct = dependants(graph)
    found: set[str] = set()
    waiting = list(direct[name])
    while waiting:
        rail = waiting.pop()
        if rail not in found:
            found.add(rail)
            waiting += direct[rail]
    return tuple(rail for rail in graph if rail in found)


def power_up_levels(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return the rails in groups: a group may be enabled once every group before it is on.

    The order down is the same, read from the end. Raises `ValueError` when the graph has a cycle.
    """
    levels: list[tuple[str, ...]] = []
    placed: set[str] = set()
    while len(placed) < len(graph):
        ready = tuple(
            name for name in graph if name not in placed and placed.issuperset(graph[name])
        )
        if not ready:
            raise ValueError(f"no order: {' -> '.join(find_cycles(graph)[0])}")
        levels.append(ready)
        placed.update(ready)
    return tuple(levels)


def find_cycles(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return cycles as names, first name repeated at the end: `("a", "b", "a")` when a is after b.

    Every rail that lies on a cycle is on one of those returned.
    """
    cycles = []
    reported: set[str] = set()
    for name in graph:
        path = [] if name in reported else _way_back(graph, name)
        if path:
            cycles.append(tuple(path))
            reported.update(path)
    return tuple(cycles)


def _way_back(graph: Graph, start: str) -> list[str]:
    """Return the shortest way from `start` along its dependencies back to `start`, or nothing."""
    paths = [[start]]
    seen: set[str] = set()
    for path in paths:  # Breadth first: the list grows while it is walked.
        for name in graph[path[-1]]:
            if name == start:
                return [*path, start]
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return []
