# SPDX-License-Identifier: Apache-2.0
"""Rails: they come up and go down as they are told, and a fault is an event."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from fw_tools.board import PayloadClient
from fw_tools.board.bench import Bench
from fw_tools.board.probe import Probe
from fw_tools.board.pytest_plugin import Measure
from fw_tools.board.suite.test_reports import events_told

if TYPE_CHECKING:
    from fw_tools.pus.packets import Telemetry

PATIENCE_S = 30.0  # A twin on a busy machine is slow.
RAILS = ["rails_enabled", "rails_on", "rails_faulted", "first_fault", "status", "control"]
SEQUENCE_S = 2.0  # Of the payload's time, for all rails.


def rails_become(
    client: PayloadClient, is_reached: Callable[[int], bool], name: str = "rails_on"
) -> float:
    """Return the payload's time when a register of rails is as wanted."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_reached(value := client.get(name)):
        assert time.monotonic() < deadline, f"{name} stays {value:#x}; {client.get_many(RAILS)}"
        time.sleep(0.02)
    return client.ping().payload_time_s


def clear_faults(client: PayloadClient) -> None:
    """Clear what a reset leaves behind: the fault of a rail that had no time to discharge.

    Then the rails rest: those that are kept alive are on, all others are off.
    """
    client.perform("power_down")
    deadline = time.monotonic() + PATIENCE_S
    while client.get("rails_faulted") or client.get("rails_on") != client.get("rails_enabled"):
        assert time.monotonic() < deadline, f"faults stay: {client.get_many(RAILS)}"
        client.perform("clear_faults")
        time.sleep(0.02)


@pytest.mark.needs("rails")
def test_rails_come_up_and_go_down(client: PayloadClient, measure: Measure) -> None:
    """All are on after TC[8,1] power up, and one is off after power down; none has failed."""
    rails = client.description.parameter("rails_on").fields
    everything = sum(field.mask for field in rails)
    clear_faults(client)
    client.perform("power_up")
    started = client.ping().payload_time_s
    ended = rails_become(client, lambda on: on == everything)
    measure("all rails up", ended - started, "s", least=0, most=SEQUENCE_S)
    client.perform("power_down")
    started = client.ping().payload_time_s
    ended = rails_become(client, lambda on: on != everything)
    measure("first rail down", ended - started, "s", least=0, most=SEQUENCE_S)
    assert client.get("rails_faulted") == 0


@pytest.mark.needs("rail_faults", "rails", "reset")
def test_a_rail_that_fails_is_an_event(client: PayloadClient, probe: Probe, bench: Bench) -> None:
    """The first rail loses power good: the register shows it, and the event names it."""
    from fw_tools.board.twin_messages import RailFault

    assert bench.twin is not None
    bench.reset()
    client.set_housekeeping(is_enabled=False)
    rail = bench.twin.design.rails[0].name
    clear_faults(client)
    client.perform("power_up")
    rails_become(client, lambda on: bool(on & 1))
    reports: list[Telemetry] = []
    client.link.listen(reports.append)
    bench.twin.fail_rail(rail, RailFault.DROP)
    rails_become(client, lambda faulted: bool(faulted & 1), "rails_faulted")
    deadline = time.monotonic() + PATIENCE_S
    while not events_told(client, reports, f"fault_{rail}"):
        assert time.monotonic() < deadline, "no event told of it"
        probe.until_alive()
    bench.twin.fail_rail(rail, RailFault.NONE)
    bench.reset()
