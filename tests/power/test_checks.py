# SPDX-License-Identifier: Apache-2.0
"""Each mistake of a rail table, made alone in a good one, is found with its numbers."""

from dataclasses import replace

import pytest

from fw_tools.power.checks import clock_mistake, rail_findings
from fw_tools.power.records import FaultResponse


def changed(rails, name, **changes):
    return tuple(replace(rail, **changes) if rail.name == name else rail for rail in rails)


def power_good(rails, name, **changes):
    rail = next(rail for rail in rails if rail.name == name)
    return changed(rails, name, power_good=replace(rail.power_good, **changes))


def hard_trip(rails, name, **changes):
    rail = next(rail for rail in rails if rail.name == name)
    return changed(rails, name, hard_trip=replace(rail.hard_trip, **changes))


def only(rails):
    found = rail_findings(rails)
    assert len(found) == 1, found
    return found[0].rail, found[0].key, found[0].message


def test_a_good_table_has_no_findings(small_board) -> None:
    assert rail_findings(small_board) == ()
    assert rail_findings(()) == ()


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        (
            "io",
            {"after": ("coer",)},
            ("io", "after", "unknown rail 'coer'; did you mean 'core'?"),
        ),
        ("io", {"after": ("xyz",)}, ("io", "after", "unknown rail 'xyz'")),
        ("io", {"after": ("core", "core")}, ("io", "after", "'core' is named 2 times")),
        (
            "io",
            {"keep_alive": True},
            ("io", "after", "keep-alive, but 'core' is switched; make 'core' keep-alive too"),
        ),
        (
            "fan",
            {"ramp_min_us": 101},
            ("fan", "ramp", "shortest 101us is above longest 100us"),
        ),
        (
            "fan",
            {"timeout_us": 99},
            ("fan", "timeout", "99us is shorter than the longest ramp of 100us"),
        ),
        (
            "fan",
            {"timeout_us": 2**24 - 1},
            ("fan", "timeout", "16777.2ms is longer than its counter holds, 16777.2ms"),
        ),
        (
            "fan",
            {"off_timeout_us": 4},
            ("fan", "pg.filter", "4us is not below off.timeout of 4us"),
        ),
    ],
)
def test_a_mistake_in_one_rail_is_found(small_board, name, changes, expected) -> None:
    assert only(changed(small_board, name, **changes)) == expected


def test_a_cycle_is_found_once_and_printed(small_board) -> None:
    rails = changed(small_board, "bus", keep_alive=False, after=("core",))
    assert only(rails) == ("bus", "after", "dependency cycle: bus -> core -> bus")


def test_a_filter_longer_than_the_timeout_is_found(small_board) -> None:
    assert only(power_good(small_board, "fan", filter_us=160)) == (
        "fan",
        "pg.filter",
        "160us is not below timeout of 160us",
    )


def test_a_filter_longer_than_the_ramp_window_is_found(small_board) -> None:
    assert only(power_good(small_board, "fan", filter_us=100)) == (
        "fan",
        "pg.filter",
        "100us is not below the longest ramp of 100us",
    )


def test_a_comparator_without_hysteresis_is_found(small_board) -> None:
    assert only(power_good(small_board, "fan", off_percent=90)) == (
        "fan",
        "pg.off",
        "90% is not below pg.on of 90%",
    )


def test_a_comparator_that_never_rises_is_found(small_board) -> None:
    assert only(power_good(small_board, "fan", on_percent=101))[:2] == ("fan", "pg.on")


def test_a_hard_trip_within_the_rated_current_is_found(small_board) -> None:
    assert only(hard_trip(small_board, "io", limit_ma=2000)) == (
        "io",
        "hard_trip.amps",
        "2A trips within the rated 2A",
    )


def test_kill_rail_on_a_rail_that_others_need_is_found_for_each_cause(small_board) -> None:
    core = next(rail for rail in small_board if rail.name == "core")
    on_fault = replace(core.on_fault, oc=FaultResponse.KILL_RAIL, pg_lost=FaultResponse.KILL_RAIL)
    found = rail_findings(changed(small_board, "core", on_fault=on_fault))
    assert [(item.key, item.message) for item in found] == [
        ("on_fault.pg_lost", "kill:rail would leave io on without it; use kill:tree"),
        ("on_fault.oc", "kill:rail would leave io on without it; use kill:tree"),
    ]


def test_one_pin_for_two_purposes_is_found(small_board) -> None:
    assert only(hard_trip(small_board, "io", input="pg_bus")) == (
        "io",
        "hard_trip.input",
        "pin 'pg_bus' is already pg.input of rail bus",
    )


def test_every_mistake_is_found_in_one_run(small_board) -> None:
    rails = power_good(small_board, "fan", off_percent=95, input="pg_io")
    rails = changed(rails, "fan", after=("bsu",), ramp_min_us=500)
    assert [(item.rail, item.key) for item in rail_findings(rails)] == [
        ("fan", "after"),
        ("fan", "ramp"),
        ("fan", "pg.off"),
        ("fan", "pg.input"),
    ]


def test_the_65th_rail_is_one_too_many(small_board) -> None:
    fan = small_board[-1]
    rails = tuple(
        replace(fan, name=f"r{i}", after=(), power_good=replace(fan.power_good, input=f"pg{i}"))
        for i in range(65)
    )
    assert rail_findings(rails[:64]) == ()
    assert only(rails) == ("r64", "", "rail 65; at most 64 fit")


@pytest.mark.parametrize(
    ("clock_hz", "is_good"),
    [(999_999, False), (1_000_000, True), (1_000_001, False), (50_000_000, True), (0, False)],
)
def test_the_clock_is_a_whole_number_of_megahertz(clock_hz, is_good) -> None:
    assert (clock_mistake(clock_hz) is None) == is_good
