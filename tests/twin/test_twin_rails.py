# SPDX-License-Identifier: Apache-2.0
"""The plant on the twin's rails against the benches' plant, which steps clock by clock."""

from typing import Any

import pytest
from twin_bench import CLOCK_HZ, OpenClient, StartTwin, wait_until

from fw_tools.board.twin import PortKind, Twin
from fw_tools.board.twin_messages import RailFault
from fw_tools.board.twin_program import plant_limits
from fw_tools.errors import InputError
from fw_tools.power.records import RailSpec
from hdl.tb import rail_plant

# From the pin to the count: both ends are registered once in the stand-in.
TOLERANCE = 3  # Clocks.
RAIL = 1  # v5_aux: on at 95 %, off at 90 %, a ramp of 0.2 ms to 5 ms.


def reference(design: Any, fault: str = "none") -> rail_plant.RailPlant:
    limits = list(plant_limits(design))[RAIL]
    names = (
        "ramp",
        "early_ramp",
        "late_ramp",
        "discharge_tau",
        "on_level",
        "off_level",
        "pg_delay",
    )
    names += ("short_glitch", "long_glitch", "short_surge")
    numbers = dict(zip(names, limits, strict=True))
    plant = rail_plant.RailPlant(rail_plant.PlantLimits(**numbers))  # type: ignore[arg-type]
    plant.set_fault(rail_plant.RailFault(fault))
    return plant


def clocks_to_change(plant: rail_plant.RailPlant, enable: bool) -> int:
    before = plant.power_good, plant.over_current
    for clocks in range(1, CLOCK_HZ):
        plant.advance(enable, 1)
        if (plant.power_good, plant.over_current) != before:
            return clocks
    raise AssertionError("no line changed within a second")


class Pins:
    def __init__(self, client: Any, twin: Twin) -> None:
        self._client = client
        self._twin = twin

    def enable(self, is_on: bool) -> None:
        self._client.write(bytes([ord("E"), is_on << RAIL]))

    def lines(self) -> tuple[bool, bool, int]:
        """Return power good, over-current, and the clocks from the last enable to a change."""
        self._client.write(b"T")
        answer = self._client.read(6)
        return (
            bool(answer[0] >> RAIL & 1),
            bool(answer[1] >> RAIL & 1),
            int.from_bytes(answer[2:], "big"),
        )

    def wait_for(self, power_good: bool) -> int:
        wait_until(lambda: self.lines()[0] is power_good, f"power good {power_good}")
        return self.lines()[2]


@pytest.fixture
def board(
    start_twin: StartTwin, open_client: OpenClient, example_rails: tuple[RailSpec, ...]
) -> tuple[Pins, Twin]:
    twin = start_twin("pins_twin", rails=example_rails, port=PortKind.TCP)
    return Pins(open_client(twin), twin), twin


@pytest.mark.parametrize("fault", ["none", "early", "late"])
def test_power_good_follows_enable_as_the_benches_plant_does(
    board: tuple[Pins, Twin], example_rails: tuple[RailSpec, ...], fault: str
) -> None:
    pins, twin = board
    plant = reference(twin.design, fault)
    twin.fail_rail(example_rails[RAIL].name, RailFault(fault))
    twin.statistics()  # The fault is in place.
    for is_on in (True, False):
        pins.enable(is_on)
        measured = pins.wait_for(is_on)
        assert abs(measured - clocks_to_change(plant, is_on)) <= TOLERANCE
        plant.advance(is_on, CLOCK_HZ)  # At rest, as the board's by then.


def test_a_good_rail_stays_good(board: tuple[Pins, Twin]) -> None:
    pins, twin = board
    pins.enable(True)
    pins.wait_for(True)
    wait_until(lambda: twin.statistics()["power_good"] == 1 << RAIL, "power good")
    assert twin.statistics()["rails_enabled"] == 1 << RAIL
    assert pins.lines()[:2] == (True, False)


@pytest.mark.parametrize(
    ("fault", "enable", "power_good", "over_current"),
    [
        ("no_power_good", True, False, False),
        ("power_good_stuck", False, True, False),
        ("drop", True, False, False),
        ("latch_up", True, True, True),
        ("stuck_on", False, True, False),
    ],
)
def test_a_fault_shows_on_the_lines_and_goes(
    board: tuple[Pins, Twin],
    example_rails: tuple[RailSpec, ...],
    fault: str,
    enable: bool,
    power_good: bool,
    over_current: bool,
) -> None:
    pins, twin = board
    pins.enable(True)
    pins.wait_for(True)
    twin.fail_rail(example_rails[RAIL].name, RailFault(fault))
    pins.enable(enable)
    expected = (power_good, over_current)
    wait_until(lambda: pins.lines()[:2] == expected, fault)
    # What is wrong stays wrong, well beyond the discharge of a healthy rail.
    before = twin.statistics()["cycles"]
    wait_until(lambda: twin.statistics()["cycles"] > before + CLOCK_HZ // 4, "a quarter second")
    assert pins.lines()[:2] == expected
    twin.fail_rail(example_rails[RAIL].name, RailFault.NONE)
    pins.enable(False)
    wait_until(lambda: pins.lines()[:2] == (False, False), "the end of it")


def test_the_faults_are_those_of_the_benches() -> None:
    assert [str(fault) for fault in RailFault] == [str(fault) for fault in rail_plant.RailFault]


def test_an_unknown_rail_is_named_with_the_nearest(board: tuple[Pins, Twin]) -> None:
    with pytest.raises(InputError, match=r"no rail 'v5_auks'; did you mean 'v5_aux'\?"):
        board[1].fail_rail("v5_auks", RailFault.DROP)
