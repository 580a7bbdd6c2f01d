# SPDX-License-Identifier: Apache-2.0
"""How fast a twin runs while octets stream both ways, and how soon it is there."""

import sys
import threading
import time
from collections.abc import Callable

import serial
from rows import ROOT, Case, Measurement

from fw_tools.board.bench import Bench, open_bench
from fw_tools.board.twin import PortKind, Twin, TwinOptions, running_twin

sys.path.insert(0, str(ROOT / "tests" / "support"))
from twin_bench import stand_in

SECONDS = 3.0
OPTIONS = TwinOptions(port=PortKind.TCP)


def own_loop() -> list[Measurement]:
    """Cycles of a bare UART echo at full rate both ways: what is left is the twin's own loop."""
    with running_twin(stand_in("echo_twin"), OPTIONS) as twin:
        return [cycles_measurement("link/twin_own_loop", twin, _stream)]


def start_cached() -> list[Measurement]:
    """Wall clock from the request to a twin that answers, when its program is in the cache."""
    with running_twin(stand_in("echo_twin"), OPTIONS):
        pass
    started = time.monotonic()
    with running_twin(stand_in("echo_twin"), OPTIONS):
        seconds = time.monotonic() - started
    return [Measurement(case="link/twin_start_cached", ours=seconds, unit="s", better="lower")]


def full_payload() -> list[Measurement]:
    """Cycles of the compute node while housekeeping streams and its rails go up and down."""
    return [_sequencing("link/twin_full", "compute_node")]


def small_payload() -> list[Measurement]:
    """The same of the small profile."""
    return [_sequencing("link/twin_small", "breaker_mini")]


def _sequencing(case: str, example: str) -> Measurement:
    with open_bench(f"twin:{ROOT / 'examples' / example / 'payload.toml'}") as bench:
        bench.client.set_housekeeping(interval_s=0.01, is_enabled=True)
        assert bench.twin is not None
        return cycles_measurement(case, bench.twin, lambda _: _sequence(bench))


def _sequence(bench: Bench) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        bench.client.perform("power_up")
        list(bench.client.reports(SECONDS / 10))
        bench.client.perform("power_down")
        list(bench.client.reports(SECONDS / 10))


def cycles_measurement(case: str, twin: Twin, load: Callable[[Twin], None]) -> Measurement:
    """Return the cycles per second of the twin's processor time while `load` runs."""
    before = twin.statistics()
    load(twin)
    after = twin.statistics()
    cycles, cpu_ns = (after[key] - before[key] for key in ("cycles", "cpu_ns"))
    return Measurement(case=case, ours=cycles / cpu_ns * 1e9, unit="cycles/cpu-s", better="higher")


def _stream(twin: Twin) -> None:
    """Keep the line full in both directions."""
    with serial.serial_for_url(twin.url, timeout=1.0) as client:
        end = time.monotonic() + SECONDS
        reader = threading.Thread(target=_read_until, args=(client, end))
        reader.start()
        while time.monotonic() < end:
            client.write(bytes(range(256)) * 16)
        reader.join()


def _read_until(client: serial.SerialBase, end: float) -> None:
    while time.monotonic() < end:
        client.read(4096)


CASES: dict[str, Case] = {
    "link/twin_full": full_payload,
    "link/twin_own_loop": own_loop,
    "link/twin_small": small_payload,
    "link/twin_start_cached": start_cached,
}
