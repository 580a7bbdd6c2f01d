# SPDX-License-Identifier: Apache-2.0
"""What is left of the ECC memory after synthesis: state code, recovery, block RAM."""

from itertools import combinations, product
from pathlib import Path

import pytest

from fw_tools.ecc.records import MemorySpec
from fw_tools.netlist.evaluate import Evaluator
from fw_tools.netlist.records import Netlist
from fw_tools.netlist.synthesis import synthesise
from fw_tools.rtl.memory import render_memory

FAMILIES = ("ecp5", "ice40")
STATE = "u_state.u_code.stored_q"
# The simplex code of length 7, worked by hand: bit j of word m is the parity of m & (j + 1).
CODES = {
    "init": 0b1010101,
    "check": 0b1100110,
    "read": 0b0110011,
    "idle": 0b1111000,
    "reread": 0b0101101,
    "restore": 0b0011110,
    "confirm": 0b1001011,
}
# 1,024 codewords of 22 bits: a DP16KD holds 1,024 x 18, an SB_RAM40_4K 1,024 x 4.
BLOCK_RAM = {"ecp5": ("DP16KD", 2), "ice40": ("SB_RAM40_4K", 6)}
VOTED = {"patrol": 4, "repair": 4, "is_repair": 1, "is_touched": 1}  # Bits with 16 words.
MEMORY = MemorySpec(name="m", data_bits=16, words=1024, code="hsiao", scrub_interval_us=10)
CONTROL_INPUTS = (
    *("request_i", "write_i", "address_i", "wcodeword_i", "inject_valid_i", "inject_mask_i"),
    *("scrub_enable_i", "clear_counters_i", "ram_check_i", "decoded_data_i"),
    *("decoded_syndrome_i", "decoded_corrected_i", "decoded_uncorrectable_i"),
)


def write_sources(folder: Path, replaced: tuple[str, str] = ("", "")) -> list[Path]:
    paths = []
    for file in render_memory("p", MEMORY, 50_000_000):
        paths.append(folder / file.path.name)
        paths[-1].write_text(file.text.replace(*replaced) if replaced[0] else file.text)
    return paths


def next_state(netlist: Netlist, stored: int, *, finds_error: bool) -> int:
    """Return the state code after one clock: nobody asks, a visit is due."""
    evaluator = Evaluator(netlist)
    evaluator.reset()
    for port in CONTROL_INPUTS:
        evaluator.set_signal(port, 0)
    evaluator.set_signal("scrub_enable_i", 1)
    evaluator.set_signal("decoded_corrected_i", int(finds_error))
    evaluator.set_signal(STATE, stored)
    return evaluator.next_value(STATE)


def wrongly_read(netlist: Netlist) -> list[tuple[str, int]]:
    """Return every state and flipped bit after which the next state is not the undisturbed one."""
    wrong = []
    for (name, code), finds_error in product(CODES.items(), (False, True)):
        undisturbed = next_state(netlist, code, finds_error=finds_error)
        assert undisturbed in CODES.values(), name
        after = [next_state(netlist, code ^ 1 << bit, finds_error=finds_error) for bit in range(7)]
        wrong += [(name, bit) for bit in range(7) if after[bit] != undisturbed]
    return wrong


def test_the_codes_are_four_apart() -> None:
    assert all((a ^ b).bit_count() == 4 for a, b in combinations(CODES.values(), 2))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_state_code_and_its_recovery_survive_synthesis(family: str, tmp_path: Path) -> None:
    netlist = synthesise(write_sources(tmp_path), "ecc_ram_ctrl", family, {"Words": 16})
    assert len({cell.name for cell in netlist.register(STATE)}) == 7
    for register, index in product(VOTED, range(3)):
        replica = f"u_{register}.gen_replica[{index}].u_replica.stored_q"
        assert len({cell.name for cell in netlist.register(replica)}) == VOTED[register], replica
    assert wrongly_read(netlist) == []
    idle = next_state(netlist, CODES["idle"], finds_error=False)
    for first, second in combinations(range(7), 2):
        for code in CODES.values():
            word = code ^ 1 << first ^ 1 << second
            assert next_state(netlist, word, finds_error=False) == idle, "near no code: idle"


def test_a_state_without_recovery_is_found(tmp_path: Path) -> None:
    sources = write_sources(tmp_path, ("<= MostFlips", "<= (state == 3 ? 0 : MostFlips)"))
    netlist = synthesise(sources, "ecc_ram_ctrl", "ice40", {"Words": 16})
    assert {name for name, _ in wrongly_read(netlist)} == {"check"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_words_become_block_ram(family: str, tmp_path: Path) -> None:
    counts = synthesise(write_sources(tmp_path), "p_m", family).counts()
    kind, wanted = BLOCK_RAM[family]
    assert counts[kind] == wanted
    flip_flops = sum(n for kind, n in counts.items() if kind.startswith(("TRELLIS_FF", "SB_DFF")))
    assert flip_flops < 240, "80 are counters and the last address, 66 voted, 22 the held word"
