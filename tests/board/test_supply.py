# SPDX-License-Identifier: Apache-2.0
"""A bench supply over SCPI, which PyVISA-sim plays on a pty: switched, never above the limits."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from played_supply import PlayedSupply
from reference_payload import write_link
from served_payload import PtyServed

from fw_tools.board.board import WiredBoard
from fw_tools.board.capability import Capability, MissingCapabilityError
from fw_tools.board.supply import Supply, SupplyError
from fw_tools.spec.board import BoardSpec, SupplySpec, load_board


@pytest.fixture
def played() -> Iterator[PlayedSupply]:
    with PlayedSupply() as supply:
        yield supply


def spec(played: PlayedSupply, **changes: object) -> SupplySpec:
    values = {
        "url": played.url,
        "baud": 9600,
        "most_mv": 5250,
        "most_ma": 2000,
        "identity": "HMP4040",
        "channel": None,
        "settle_s": 0.0,
    }
    return SupplySpec(**(values | changes))  # type: ignore[arg-type]


def board(played: PlayedSupply, **changes: object) -> WiredBoard:
    return WiredBoard(BoardSpec(name="b", power=spec(played, **changes)), None, None)


def test_a_board_is_switched_on_and_off(played: PlayedSupply) -> None:
    with board(played) as found:
        assert Capability.POWER in found.capabilities
        found.power(True)
        assert played.ask("OUTP?") == "ON"
        found.power(False)
        assert played.ask("OUTP?") == "OFF"


def test_what_flows_is_measured(played: PlayedSupply) -> None:
    supply = Supply(spec(played))
    assert (supply.measured_volts(), supply.measured_amps()) == (5.01, 0.25)
    supply.close()


def test_the_channel_is_chosen_before_anything_is_switched(played: PlayedSupply) -> None:
    with board(played, channel=2) as found:
        found.power(True)
    assert played.heard.index("INST:NSEL 2") < played.heard.index("OUTP ON")


@pytest.mark.parametrize(
    ("knob", "told"),
    [("VOLT 5.251", "set to 5.251 V, and the board takes at most 5.25 V"),
     ("CURR 2.001", "set to 2.001 A, and the board takes at most 2 A")],
)  # fmt: skip
def test_a_supply_that_is_set_too_high_is_not_switched_on(
    played: PlayedSupply, knob: str, told: str
) -> None:
    played.set(knob)
    with board(played) as found, pytest.raises(SupplyError, match=told):
        found.power(True)
    assert played.ask("OUTP?") == "OFF"
    assert "OUTP ON" not in played.heard


def test_a_supply_that_is_set_as_high_as_the_board_takes_is_switched_on(
    played: PlayedSupply,
) -> None:
    played.set("VOLT 5.25")
    played.set("CURR 2.0")
    with board(played) as found:
        found.power(True)
    assert played.ask("OUTP?") == "ON"


def test_an_output_that_gives_more_than_it_is_set_to_goes_off_at_once(
    played: PlayedSupply,
) -> None:
    played.set("PLAY:VOLT 6.5")
    with (
        board(played) as found,
        pytest.raises(SupplyError, match=r"gave 6\.5 V, and the board takes at most 5\.25 V"),
    ):
        found.power(True)
    assert played.ask("OUTP?") == "OFF"


def interrupted(board: WiredBoard) -> None:
    with board:
        board.power(True)
        raise KeyboardInterrupt


def test_ctrl_c_switches_off_what_was_switched_on(played: PlayedSupply) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(board(played))
    assert played.ask("OUTP?") == "OFF"


def test_ctrl_c_leaves_on_what_was_on_before(played: PlayedSupply) -> None:
    played.set("OUTP ON")
    with pytest.raises(KeyboardInterrupt):
        interrupted(board(played))
    assert played.ask("OUTP?") == "ON"


POWERED = """
import pytest

@pytest.mark.needs("power")
def test_with_power(power):
    power(True)
    {ends}
"""


@pytest.mark.parametrize(
    ("ends", "code", "state"), [("raise KeyboardInterrupt", 2, "OFF"), ("pass", 0, "ON")]
)
def test_a_run_of_tests_that_is_interrupted_switches_off(
    played: PlayedSupply, tmp_path: Path, ends: str, code: int, state: str
) -> None:
    write_link(tmp_path)
    (tmp_path / "test_mine.py").write_text(POWERED.format(ends=ends))
    with PtyServed(tmp_path) as served:
        (tmp_path / "board.toml").write_text(
            f'[board]\nname = "b"\nurl = "{served.url}"\nlink = "link.json"\n'
            f'[power]\nurl = "{played.url}"\nvolts = "5.25V"\namps = "2A"\nsettle = "1ms"\n'
        )
        command = [sys.executable, "-m", "pytest", "-q", "test_mine.py", "--board", "board.toml"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "OUTP ON" in played.heard
    assert played.ask("OUTP?") == state


def test_a_block_that_ends_well_leaves_the_supply_as_it_is(played: PlayedSupply) -> None:
    with board(played) as found:
        found.power(True)
    assert played.ask("OUTP?") == "ON"


def test_another_supply_than_the_file_names_is_refused(played: PlayedSupply) -> None:
    with board(played, identity="E3631A") as found, pytest.raises(SupplyError, match="HMP4040"):
        found.power(True)
    assert played.heard == ["*IDN?"]


def test_a_port_without_a_supply_is_told(tmp_path: Path) -> None:
    master, slave = os.openpty()
    silent = SupplySpec(
        url=os.ttyname(slave), baud=9600, most_mv=1, most_ma=1, identity="", channel=None,
        settle_s=0,
    )  # fmt: skip
    with pytest.raises(SupplyError, match=r"no answer to \*IDN\? in 2 s.*at 9600 baud"):
        Supply(silent)
    os.close(master)
    os.close(slave)


def test_a_board_without_a_supply_says_what_would_give_one() -> None:
    with pytest.raises(MissingCapabilityError, match=r"has no power: a table \[power\]") as raised:
        WiredBoard(BoardSpec(name="b"), None, None).power(True)
    assert raised.value.capability is Capability.POWER


def test_the_file_gives_the_limits_in_their_units(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(
        '[board]\nname = "b"\n[power]\nurl = "COM9"\nvolts = "5.25V"\namps = "800mA"\n'
        'channel = 2\nsettle = "200ms"\n'
    )
    assert load_board(path).power == SupplySpec(
        url="COM9", baud=9600, most_mv=5250, most_ma=800, identity="", channel=2, settle_s=0.2
    )
