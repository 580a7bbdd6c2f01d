# SPDX-License-Identifier: Apache-2.0
"""What is left of the sequencer's hardening after synthesis, read back from the netlist.

Of the small board: `bus` is keep-alive, `core` corrects upsets, `io` does not (safe_off).
"""

from itertools import combinations
from pathlib import Path

import pytest

from fw_tools.netlist import Evaluator, Netlist, synthesise
from fw_tools.rtl.sequencer import render_sequencer
from fw_tools.spec.hardening import Harden
from fw_tools.spec.load import load_payload

RAILS = ("bus", "core", "io")
OFF, RAMP, SETTLE, ON, DRAIN, FAULT = range(6)
ALL_ON, KEPT_ALIVE = 0b111, 0b001
WITNESSED = ("u_enable", "u_pg_filter.u_level")
REPLICAS = ("u_enable", "u_faulted", "u_pg_filter.u_level")


def write_sources(
    repository: Path,
    folder: Path,
    changed: dict[str, str] | None = None,
    harden: Harden = Harden.TMR,
) -> list[Path]:
    payload = load_payload(repository / "tests/power/small_board.toml")
    rails = payload.rails[: len(RAILS)]
    paths = []
    for file in render_sequencer(payload.name, rails, payload.clock_hz, harden):
        text = file.text
        for old, new in (changed or {}).items():
            text = text.replace(old, new)
        paths.append(folder / file.path.name)
        paths[-1].write_text(text)
    return paths


@pytest.fixture(scope="module", params=["ecp5", "ice40"])
def netlist(request, repository, tmp_path_factory) -> Netlist:
    sources = write_sources(repository, tmp_path_factory.mktemp("sources"))
    return synthesise(sources, "little_board_sequencer", request.param)


def code_of(rail: str) -> str:
    return f"u_{rail}.u_state.u_code.stored_q"


def replicas_of(register: str) -> list[str]:
    return [f"{register}.gen_replica[{index}].u_replica.stored_q" for index in range(3)]


def board(netlist: Netlist) -> Evaluator:
    """Return the board in reset, with quiet pins and nothing asked for."""
    evaluator = Evaluator(netlist)
    evaluator.reset()
    for port in ("power_up_i", "clear_faults_i", "pg_i", "oc_i"):
        evaluator.set_signal(port, 0)
    return evaluator


def set_voted(evaluator: Evaluator, register: str, value: int) -> None:
    for replica in replicas_of(register):
        evaluator.set_signal(replica, value)


def running_board(netlist: Netlist, codes: list[int]) -> Evaluator:
    """Return the board with every rail on."""
    evaluator = board(netlist)
    evaluator.set_signal("pg_i", ALL_ON)
    evaluator.clock()  # Through the synchronisers, while every rail is off.
    evaluator.clock()
    evaluator.set_signal("power_up_i", 1)
    for rail in RAILS:
        evaluator.set_signal(code_of(rail), codes[ON])
        set_voted(evaluator, f"u_{rail}.u_enable", 1)
        set_voted(evaluator, f"u_{rail}.u_pg_filter.u_level", 1)
    return evaluator


def codes_in(netlist: Netlist) -> list[int]:
    """Return the six words that the netlist reads as a state without calling them corrected."""
    evaluator = board(netlist)
    codes: dict[int, int] = {}
    for word in range(64):
        evaluator.set_signal(code_of("io"), word)  # Reads nothing but whole codes.
        evaluator.clock()
        lost = evaluator.read_signal("upsets_uncorrectable_o")
        evaluator = board(netlist)
        evaluator.set_signal(code_of("io"), word)
        if not lost:
            codes[evaluator.read_signal("state_o") >> 16 & 0xFF] = word
    assert sorted(codes) == list(range(6))
    return [codes[state] for state in range(6)]


def test_every_replica_and_every_code_bit_has_a_flip_flop_of_its_own(netlist) -> None:
    cells: list[str] = []
    for rail in RAILS:
        registers = [f"u_{rail}.{register}" for register in REPLICAS]
        for replica in [name for register in registers for name in replicas_of(register)]:
            cells += [cell.name for cell in netlist.register(replica)]
        cells += [cell.name for cell in netlist.register(code_of(rail))]
    for replica in replicas_of("u_supervisor.u_halted"):
        cells += [cell.name for cell in netlist.register(replica)]
    assert len(cells) == len(set(cells)) == len(RAILS) * (3 * 3 + 6) + 3


def test_state_codes_are_three_apart(netlist) -> None:
    codes = codes_in(netlist)
    assert min((a ^ b).bit_count() for a, b in combinations(codes, 2)) == 3


@pytest.mark.parametrize("rail", ["bus", "core", "io"])
def test_all_64_state_words_of_a_running_rail_lead_where_they_should(netlist, rail) -> None:
    codes = codes_in(netlist)
    running = running_board(netlist, codes)
    for word in range(64):
        near = [state for state in range(6) if (word ^ codes[state]).bit_count() <= 1]
        is_correct = word in codes or rail != "io"
        evaluator = running.copy()
        evaluator.set_signal(code_of(rail), word)
        assert evaluator.read_signal("enable_o") == ALL_ON  # No glitch before the clock.
        evaluator.clock()
        enable, counts = evaluator.read_signal("enable_o"), upset_counts(evaluator)
        if near == [ON] and is_correct:
            assert enable == ALL_ON
            assert evaluator.read_signal(code_of(rail)) == codes[ON]
            assert counts == (word not in codes, 0)
        elif not near or not is_correct:
            assert enable == KEPT_ALIVE, f"{rail} {word:06b}"
            assert evaluator.read_signal("halted_o") == 1
            assert evaluator.read_signal(code_of(rail)) == codes[SETTLE if rail == "bus" else FAULT]
            assert counts == (0, 1)


def test_a_flip_of_every_state_is_put_right_where_the_state_would_stay(netlist) -> None:
    codes = codes_in(netlist)
    for state in (OFF, FAULT):
        for bit in range(6):
            evaluator = board(netlist)
            evaluator.set_signal(code_of("core"), codes[state] ^ 1 << bit)
            evaluator.clock()
            assert evaluator.read_signal(code_of("core")) == codes[state]
            assert upset_counts(evaluator) == (1, 0)


@pytest.mark.parametrize("rail", RAILS)
@pytest.mark.parametrize("level", [0, 1])
def test_one_upset_enable_replica_does_not_reach_the_pin(netlist, rail, level) -> None:
    for upset in range(3):
        evaluator = board(netlist)
        set_voted(evaluator, f"u_{rail}.u_enable", level)
        evaluator.set_signal(replicas_of(f"u_{rail}.u_enable")[upset], 1 - level)
        assert evaluator.read_signal("enable_o") >> RAILS.index(rail) & 1 == level


def upset_counts(evaluator: Evaluator) -> tuple[int, int]:
    return (
        evaluator.read_signal("upsets_corrected_o"),
        evaluator.read_signal("upsets_uncorrectable_o"),
    )


def test_fsm_keeps_its_codes_and_two_replicas_of_what_drives_pins(repository, tmp_path) -> None:
    sources = write_sources(repository, tmp_path, harden=Harden.FSM)
    netlist = synthesise(sources, "little_board_sequencer", "ice40")
    codes = [cell.name for rail in RAILS for cell in netlist.register(code_of(rail))]
    assert len(set(codes)) == len(codes) == len(RAILS) * 6
    registers = [f"u_{rail}.{register}" for rail in RAILS for register in WITNESSED]
    registers.append("u_supervisor.u_halted")
    kept = [replica for register in registers for replica in replicas_of(register)[:2]]
    cells = [cell.name for replica in kept for cell in netlist.register(replica)]
    assert len(cells) == len(set(cells)) == 2 * len(registers)
    replicated = {name for name in netlist.signals if name.endswith("].u_replica.stored_q")}
    assert replicated == set(kept)


@pytest.mark.parametrize("rail", RAILS)
@pytest.mark.parametrize("level", [0, 1])
def test_one_upset_of_two_enable_replicas_is_outvoted_by_the_state(
    repository, tmp_path, rail, level
) -> None:
    sources = write_sources(repository, tmp_path, harden=Harden.FSM)
    netlist = synthesise(sources, "little_board_sequencer", "ecp5")
    state = codes_in(netlist)[ON if level else OFF]
    for upset in range(2):
        evaluator = board(netlist)
        evaluator.set_signal(code_of(rail), state)
        for index, replica in enumerate(replicas_of(f"u_{rail}.u_enable")[:2]):
            evaluator.set_signal(replica, level ^ (index == upset))
        assert evaluator.read_signal("enable_o") >> RAILS.index(rail) & 1 == level


def test_none_has_neither_codes_nor_replicas(repository, tmp_path) -> None:
    sources = write_sources(repository, tmp_path, harden=Harden.NONE)
    netlist = synthesise(sources, "little_board_sequencer", "ice40")
    assert not [cell.name for cell in netlist.flip_flops if "gen_replica" in cell.name]
    assert all(len(netlist.register(code_of(rail))) == 3 for rail in RAILS)


def test_hardening_that_synthesis_may_fold_is_found_missing(repository, tmp_path) -> None:
    unkept = {'(* keep_hierarchy = "yes" *)': "", '(* keep = "true" *)': ""}
    sources = write_sources(repository, tmp_path, unkept)
    netlist = synthesise(sources, "little_board_sequencer", "ice40")
    with pytest.raises(LookupError, match=r"no signal|not stored in|share a flip-flop"):
        test_every_replica_and_every_code_bit_has_a_flip_flop_of_its_own(netlist)
