# SPDX-License-Identifier: Apache-2.0
"""The sequencer's text: every number of the table where a reviewer looks for it."""

from dataclasses import replace

import pytest

from fw_tools.rtl.sequencer import render_sequencer
from fw_tools.spec.load import load_payload

CORE = """\
  // Switched. After: bus. Before: io.

  assign deps_on[CORE]         = on_o[BUS];
  assign dependants_down[CORE] = down[IO];
  assign kill[CORE]            = kill_switched || kill_tree[BUS];

  rail_ctrl #(
      .RampMin       (ticks(20)),  // 0.02 ms
      .RampMax       (ticks(100)),  // 0.1 ms
      .Timeout       (ticks(160)),  // 0.16 ms
      .Settle        (ticks(10)),  // 0.01 ms
      .OffTimeout    (ticks(240)),  // 0.24 ms
      .PgFilterClocks(clocks(4)),  // pg_core: 95% / 90%
      .HasTrip       (1'b1),  // oc_core: above 30 A
      .OcBlankClocks (clocks(5)),
      .KeepAlive     (1'b0),
      .CorrectUpsets (1'b1),
      .Harden        (HardenTmr),
      .OnRampEarly   (KillTree),
      .OnRampTimeout (KillTree),
      .OnPgLost      (KillTree),
      .OnOc          (KillBoard),
      .OnStuckOn     (KillTree)
  ) u_core ("""


@pytest.fixture(scope="module")
def payload(repository):
    return load_payload(repository / "tests/power/small_board.toml")


def sequencer_text(payload):
    return render_sequencer(payload.name, payload.rails, payload.clock_hz)[-1].text


def test_the_block_of_a_rail_shows_its_row(payload) -> None:
    assert CORE in sequencer_text(payload)
    assert "parameter int unsigned TicksPerUs = 10, " in sequencer_text(payload)
    assert "// Order up: bus | core, fan | io\n" in sequencer_text(payload)


def test_the_same_table_gives_the_same_text(payload) -> None:
    assert sequencer_text(payload) == sequencer_text(payload)


def test_the_packages_come_first_and_the_sequencer_last(payload) -> None:
    names = [str(file.path) for file in render_sequencer("p", payload.rails, payload.clock_hz)]
    assert names[:2] == ["rtl/lib/harden_pkg.sv", "rtl/lib/rail_pkg.sv"]
    assert names[-1] == "rtl/p_sequencer.sv"


def test_a_table_with_mistakes_is_not_rendered(payload) -> None:
    broken = replace(payload.rails[1], timeout_us=1)
    with pytest.raises(ValueError, match="core: timeout: 1us is shorter"):
        render_sequencer("p", (payload.rails[0], broken), payload.clock_hz)


def test_no_rails_and_an_odd_clock_are_not_rendered(payload) -> None:
    with pytest.raises(ValueError, match="at least one rail"):
        render_sequencer("p", (), payload.clock_hz)
    with pytest.raises(ValueError, match="1500000 Hz"):
        render_sequencer("p", payload.rails, 1_500_000)
