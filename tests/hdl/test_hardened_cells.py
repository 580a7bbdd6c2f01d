# SPDX-License-Identifier: Apache-2.0
"""The hardened registers after synthesis for ECP5 and iCE40, walked through every stored word.

Each walk is first seen to fail: on a broken cell, and on one whose replicas synthesis may fold.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, product
from pathlib import Path

import pytest

from fw_tools.netlist import Evaluator, Netlist, synthesise
from fw_tools.netlist.yosys import SynthesisError
from fw_tools.power.state_codes import find_codes

FAMILIES = ("ecp5", "ice40")
CELLS = ("kept_reg", "tmr_voter", "tmr_majority", "tmr_reg", "fsm_reg", "event_counter")
Walk = Callable[[Netlist], None]
Change = tuple[str, str, str]  # Cell, what stands there, what stands there instead.

FAR_CODES = find_codes(5, least=5)[1]
CODES = {1: find_codes(6)[1], 2: FAR_CODES}  # By how many flips are put right.
SAFE = 2


def wrapped(cell: str, parameters: str, ports: Sequence[str]) -> str:
    """Return a top around one cell, whose ports are given as they are declared."""
    names = [port.split()[-1] for port in ports]
    return (
        f"module walked (\n  input logic clk_i, rst_ni,\n  {', '.join(ports)}\n);\n"
        f"  {cell} #({parameters}) u_cell (.clk_i, .rst_ni, {', '.join(f'.{n}' for n in names)});\n"
        "endmodule\n"
    )


def build(
    repository: Path, folder: Path, top: str, family: str, changes: Sequence[Change] = ()
) -> Netlist:
    paths = []
    for cell in CELLS:
        text = (repository / f"hdl/rtl/common/{cell}.sv").read_text()
        for where, old, new in changes:
            if where in (cell, "*"):
                assert where == "*" or text.count(old) == 1, (cell, old)
                text = text.replace(old, new)
        paths.append(folder / f"{cell}.sv")
        paths[-1].write_text(text)
    paths.append(folder / "walked.sv")
    paths[-1].write_text(top)
    return synthesise(paths, "walked", family)


UNKEPT = (("*", '(* keep_hierarchy = "yes" *)', ""), ("*", '(* keep = "true" *)', ""))

# --- States ---------------------------------------------------------------------------------------


def machine(corrected: int, codes: Sequence[int] = (), more: str = "") -> str:
    codes = codes or CODES[corrected]
    bits = max(codes).bit_length()
    words = ", ".join(f"{bits}'d{code}" for code in reversed(codes))
    return wrapped(
        "fsm_reg",
        f".States({len(codes)}), .CodeBits({bits}), .Codes({{{words}}}), .Safe(3'd{SAFE}), "
        f".Corrected({corrected}){more}",
        [
            "input logic [2:0] next_i",
            "output logic [2:0] state_o",
            "output logic corrected_o",
            "output logic lost_o",
        ],
    )


def walk_states(netlist: Netlist, corrected: int) -> None:
    """Every word that can be stored is read as its nearest state, or as lost."""
    codes, stored = CODES[corrected], "u_cell.u_code.stored_q"
    bits = max(codes).bit_length()
    assert len({cell.name for cell in netlist.register(stored)}) == bits
    evaluator = Evaluator(netlist)
    evaluator.reset()
    evaluator.set_signal("next_i", 0)
    for word in range(1 << bits):
        flips = [(word ^ code).bit_count() for code in codes]
        is_near = min(flips) <= corrected
        evaluator.set_signal(stored, word)
        got = [evaluator.read_signal(port) for port in ("state_o", "corrected_o", "lost_o")]
        state = flips.index(min(flips)) if is_near else SAFE
        assert got == [state, is_near and min(flips) > 0, not is_near], f"{word:b}"
    for number, code in enumerate(codes):
        evaluator.set_signal("next_i", number)
        assert evaluator.next_value(stored) == code


def test_the_far_codes_are_five_apart() -> None:
    assert min((a ^ b).bit_count() for a, b in combinations(FAR_CODES, 2)) == 5


@pytest.mark.parametrize(("family", "corrected"), [*product(FAMILIES, (1, 2))])
def test_every_word_is_read_as_its_nearest_state_or_as_lost(
    repository: Path, tmp_path: Path, family: str, corrected: int
) -> None:
    walk_states(build(repository, tmp_path, machine(corrected), family), corrected)


BROKEN_STATES: tuple[tuple[Change, ...], ...] = (
    (("fsm_reg", "<= MostFlips", "< MostFlips"),),
    (("fsm_reg", "corrected_o = code_q != word(state);", "corrected_o = 1'b0;"),),
    (("fsm_reg", "lost_o      = 1'b1;", "lost_o      = 1'b0;"),),
    (("fsm_reg", "state_o     = Safe;", "state_o     = Reset;"),),
    (("fsm_reg", "if (next_i == StateBits'(state))", "if (state != 3)"),),
    UNKEPT,
)


@pytest.mark.parametrize("number", range(len(BROKEN_STATES)))
def test_a_broken_state_register_is_found(repository: Path, tmp_path: Path, number: int) -> None:
    netlist = build(repository, tmp_path, machine(2), "ice40", BROKEN_STATES[number])
    with pytest.raises((AssertionError, LookupError)):
        walk_states(netlist, 2)


def test_codes_that_are_too_near_are_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="not far enough apart to correct so many flips"):
        build(repository, tmp_path, machine(2, CODES[1]), "ice40")


# --- Two replicas and a witness -------------------------------------------------------------------

WITNESSED = wrapped(
    "tmr_reg",
    ".Width(2), .Triplicate(1'b0), .Witnessed(1'b1)",
    [
        "input logic write_i",
        "input logic [1:0] d_i",
        "input logic [1:0] witness_i",
        "output logic [1:0] q_o",
        "output logic upset_o",
    ],
)


def walk_witness(netlist: Netlist) -> None:
    """Of two replicas and a witness the majority counts, and is what both hold a clock later."""
    replicas = [f"u_cell.gen_replica[{index}].u_replica.stored_q" for index in range(2)]
    cells = [cell.name for replica in replicas for cell in netlist.register(replica)]
    assert len(set(cells)) == len(netlist.flip_flops) == 4
    evaluator = Evaluator(netlist)
    evaluator.set_signal("write_i", 0)
    evaluator.set_signal("d_i", 0)
    for one, other, witness in product(range(4), repeat=3):
        evaluator.set_signal(replicas[0], one)
        evaluator.set_signal(replicas[1], other)
        evaluator.set_signal("witness_i", witness)
        votes = [sum(word >> bit & 1 for word in (one, other, witness)) for bit in range(2)]
        majority = sum((count >= 2) << bit for bit, count in enumerate(votes))
        assert evaluator.read_signal("q_o") == majority
        assert evaluator.read_signal("upset_o") == (one != other)
        assert [evaluator.next_value(replica) for replica in replicas] == [majority] * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_a_witness_outvotes_one_of_two_replicas(
    repository: Path, tmp_path: Path, family: str
) -> None:
    walk_witness(build(repository, tmp_path, WITNESSED, family))


@pytest.mark.parametrize(
    "changes",
    [
        (("tmr_reg", ".c_i       (witness_i)", ".c_i       (gen_replica[0].stored)"),),
        (("tmr_reg", "write_i ? d_i : q_o", "write_i ? d_i : gen_replica[0].stored"),),
        (("tmr_reg", "gen_replica[0].stored != gen_replica[1].stored", "1'b0"),),
        UNKEPT,
    ],
    ids=["witness unheard", "no feedback", "upset untold", "folded"],
)
def test_a_broken_witnessed_register_is_found(
    repository: Path, tmp_path: Path, changes: Sequence[Change]
) -> None:
    netlist = build(repository, tmp_path, WITNESSED, "ice40", changes)
    with pytest.raises((AssertionError, LookupError)):
        walk_witness(netlist)


# --- The counter ----------------------------------------------------------------------------------

COUNTER = wrapped(
    "event_counter",
    ".Events(3), .Width(4), .Triplicate(1'b1)",
    ["input logic clear_i", "input logic [2:0] event_i", "output logic [3:0] count_o"],
)


def walk_counter(netlist: Netlist) -> None:
    """From every count, with each upset replica: the sum of the events, up to the highest value."""
    replicas = [f"u_cell.u_count.gen_replica[{index}].u_replica.stored_q" for index in range(3)]
    cells = [cell.name for replica in replicas for cell in netlist.register(replica)]
    assert len(set(cells)) == len(netlist.flip_flops) == 12
    evaluator = Evaluator(netlist)
    for count, events, clear, upset in product(range(16), (0, 0b010, 0b111), (0, 1), range(12)):
        for index, replica in enumerate(replicas):
            evaluator.set_signal(replica, count ^ ((upset // 3 == index) << upset % 3))
        evaluator.set_signal("event_i", events)
        evaluator.set_signal("clear_i", clear)
        assert evaluator.read_signal("count_o") == count
        after = min((0 if clear else count) + events.bit_count(), 15)
        assert [evaluator.next_value(replica) for replica in replicas] == [after] * 3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_voted_counter_counts_through_every_upset(
    repository: Path, tmp_path: Path, family: str
) -> None:
    walk_counter(build(repository, tmp_path, COUNTER, family))


@pytest.mark.parametrize(
    "changes",
    [
        (("event_counter", "sum[Width] ? '1 : sum[Width-1:0]", "sum[Width-1:0]"),),
        (("event_counter", "clear_i ? '0 : count_o", "count_o"),),
        (("event_counter", ".Triplicate(Triplicate)", ".Triplicate(1'b0)"),),
        (("tmr_voter", "(a_i & b_i) | (b_i & c_i) | (a_i & c_i)", "a_i"),),
        UNKEPT,
    ],
    ids=["wraps", "not cleared", "not voted", "one replica rules", "folded"],
)
def test_a_broken_counter_is_found(
    repository: Path, tmp_path: Path, changes: Sequence[Change]
) -> None:
    netlist = build(repository, tmp_path, COUNTER, "ice40", changes)
    with pytest.raises((AssertionError, LookupError)):
        walk_counter(netlist)
