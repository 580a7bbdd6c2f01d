# SPDX-License-Identifier: Apache-2.0
"""Order, kill trees and cycles of small graphs drawn by hand."""

import pytest

from fw_tools.power.graph import (
    dependants,
    dependency_graph,
    find_cycles,
    kill_tree,
    power_up_levels,
)

#   a -> b -> d
#   a -> c -> d, e alone
DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}


def test_a_diamond_comes_up_in_three_levels() -> None:
    assert power_up_levels(DIAMOND) == (("a", "e"), ("b", "c"), ("d",))


def test_dependants_are_direct_and_kill_trees_are_transitive() -> None:
    assert dependants(DIAMOND)["a"] == ("b", "c")
    assert kill_tree(DIAMOND, "a") == ("b", "c", "d")
    assert kill_tree(DIAMOND, "b") == ("d",)
    assert kill_tree(DIAMOND, "d") == ()


def test_a_graph_of_no_rails_has_no_levels() -> None:
    assert power_up_levels({}) == ()


@pytest.mark.parametrize(
    ("graph", "cycles"),
    [
        (DIAMOND, ()),
        ({"a": ("a",)}, (("a", "a"),)),
        ({"a": ("b",), "b": ("a",)}, (("a", "b", "a"),)),
        ({"x": ("a",), "a": ("c",), "b": ("a",), "c": ("b",)}, (("a", "c", "b", "a"),)),
        # Two cycles that share b: each rail on a cycle is named.
        ({"a": ("b",), "b": ("a", "c"), "c": ("b",)}, (("a", "b", "a"), ("c", "b", "c"))),
    ],
)
def test_cycles_come_out_as_names_in_the_order_of_dependence(graph, cycles) -> None:
    assert find_cycles(graph) == cycles


def test_a_cycle_has_no_order_and_the_error_names_it() -> None:
    with pytest.raises(ValueError, match="a -> b -> a"):
        power_up_levels({"a": ("b",), "b": ("a",)})


def test_a_chain_of_64_rails_comes_up_one_by_one() -> None:
    chain = {f"r{i}": (f"r{i - 1}",) if i else () for i in range(64)}
    assert power_up_levels(chain) == tuple((name,) for name in chain)
    assert kill_tree(chain, "r0") == tuple(chain)[1:]


def test_the_graph_of_a_table_leaves_out_names_that_are_no_rail(small_board) -> None:
    assert dependency_graph(small_board) == {
        "bus": (),
        "core": ("bus",),
        "io": ("core",),
        "fan": ("bus",),
    }
    assert dependency_graph(small_board[1:2]) == {"core": ()}
