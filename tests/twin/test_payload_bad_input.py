# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a whole payload: a second client, a wrong rate, a slow line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from twin_bench import wait_until

from fw_tools.board import ClientOptions, LinkDescription, PayloadClient
from fw_tools.board.bench import Bench, open_bench
from fw_tools.board.description import load_description
from fw_tools.board.exchange import NoAnswerError
from fw_tools.board.probe import Probe
from fw_tools.board.twin import TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.errors import LinkError

# pyserial's RFC 2217 client starts its thread the old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name)")

QUICK = ClientOptions(timeout_s=0.5)
PATIENT = ClientOptions(timeout_s=5.0)


@pytest.fixture(scope="module")
def spec(repository: Path) -> Path:
    return repository / "examples" / "breaker_mini" / "payload.toml"


@pytest.fixture
def pty_bench(spec: Path) -> Iterator[tuple[Bench, str, LinkDescription]]:
    with open_bench(f"twin:{spec}", way="pty") as bench:
        assert bench.twin
        yield bench, bench.twin.url, bench.client.description


# pyserial leaves a socket open when a negotiation fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("pty", "another process has it open"),
        ("tcp", ": another client has this twin, which takes one at a time; end that one"),
        ("rfc2217", "is another client connected? One at a time"),
    ],
)
def test_a_second_client_is_told_why_and_the_first_goes_on(spec: Path, way: str, said: str) -> None:
    with open_bench(f"twin:{spec}", way=way) as bench:
        assert bench.twin
        description = bench.client.description
        for _ in range(3):
            with (
                pytest.raises(LinkError) as raised,
                PayloadClient.open(bench.twin.url, description, options=QUICK) as second,
            ):
                second.ping()
            assert said in str(raised.value)
            assert bench.client.ping()


@pytest.mark.parametrize("factor", [1 / 3, 1 / 2, 2])
def test_a_wrong_baud_rate_is_told_as_one(
    pty_bench: tuple[Bench, str, LinkDescription], factor: float
) -> None:
    """The payload sends all the time: what comes is garbage, and never a frame."""
    bench, url, description = pty_bench
    bench.client.set_housekeeping(interval_s=0.01, is_enabled=True)
    bench.client.close()
    baud = int(description.baud * factor)
    with (
        PayloadClient.open(url, description, baud=baud, options=QUICK) as client,
        pytest.raises(NoAnswerError) as raised,
    ):
        client.ping()
    assert f"So looks a wrong baud rate (the port is set to {baud})" in str(raised.value)


def test_a_wrong_baud_rate_on_a_silent_line_is_asked_for(
    pty_bench: tuple[Bench, str, LinkDescription],
) -> None:
    bench, url, description = pty_bench
    bench.client.set_housekeeping(is_enabled=False)
    bench.client.set_events([event.name for event in description.events], is_enabled=False)
    bench.client.close()
    with (
        PayloadClient.open(url, description, baud=115200, options=QUICK) as client,
        pytest.raises(NoAnswerError) as raised,
    ):
        client.ping()
    assert "and 115200 its baud rate?" in str(raised.value)


def test_housekeeping_faster_than_the_line_is_lost_and_counted_and_commands_are_answered(
    spec: Path,
) -> None:
    """At 18,750 baud a report takes 25 ms and one is due every 10 ms."""
    design = twin_design(spec, baud_divisor=640)
    assert design.link
    with (
        running_twin(design, TwinOptions()) as twin,
        PayloadClient.open(twin.url, load_description(design.link), options=PATIENT) as client,
    ):
        client.set_housekeeping(interval_s=0.01, is_enabled=True)
        done = client.get("link.functions_done")
        lost = client.get("link.reports_lost")
        for _ in range(3):
            client.perform("clear_faults")
        assert client.get("link.functions_done") == done + 3
        wait_until(lambda: client.get("link.reports_lost") > lost, "a report that found no room")
        client.set_housekeeping(is_enabled=False)
        Probe(client).until_alive()
        lost = client.get("link.reports_lost")
        assert client.get("link.reports_lost") == lost
