# SPDX-License-Identifier: Apache-2.0
"""The register bench passes on the compute node and goes red on each broken copy of it."""

from typing import Any

import pytest

from fw_tools.flow.benches.registers import registers_benches
from fw_tools.report.records import Status

CSR = "compute_node_csr.sv"
REGS = "compute_node_regs.sv"
FLAG = "guarded_flag.sv"
TESTS = 13

# File, broken expression, what it becomes, the test that must notice.
MUTANTS = {
    "a status bit that shows its neighbour": (
        CSR,
        "rails_on.v5_aux_rail.next = «rails_on_i[1]»",
        "rails_on_i[2]",
        "every_field",
    ),
    "two counters swapped": (
        CSR,
        "weight_buffer.errors.corrected.next = «memory_weight_buffer_corrected_i»",
        "memory_weight_buffer_uncorrectable_i",
        "every_field",
    ),
    "one memory enough for init_done": (
        CSR,
        "init_done.next = «memory_weight_buffer_init_done_i && memory_command_store_init_done_i»",
        "memory_weight_buffer_init_done_i || memory_command_store_init_done_i",
        "status_sums",
    ),
    "one flip that switches off": (
        FLAG,
        "4'he: flag_o = «1'b1»;",
        "code_i != 4'h7",
        "a_flipped_control_bit",
    ),
    "two flips that switch on": (FLAG, "flag_o = «SafeValue»;", "1'b1", "a_control_code"),
    "flips that are not put right": (
        FLAG,
        "repair_o = «code_i != code_o»",
        "1'b0",
        "a_flipped_control_bit",
    ),
    "upsets that are not counted": (
        CSR,
        "event_i(«power_up_repair || scrub_enable_repair»)",
        "power_up_repair",
        "a_flipped_control_bit",
    ),
    "scrubbing off after reset": (
        REGS,
        "field_storage.control.scrub_enable.value <= «4'h6»;",
        "4'h9",
        "reset_value",
    ),
    "a strobe that lasts": (
        CSR,
        "assign clear_counters_o = «hwif_out.command.clear_counters.value»",
        "1'b1",
        "every_strobe",
    ),
    "a code word that stays": (
        CSR,
        "assign hwif_in.command.clear_faults.next = «4'h0»;",
        "4'h6",
        "no_other_code",
    ),
    "a flipped bit that clears faults": (
        CSR,
        "assign clear_faults_o   = «hwif_out.command.clear_faults.value == 4'h6»",
        "hwif_out.command.clear_faults.value != 0",
        "no_other_code",
    ),
    "a second code that clears faults": (
        CSR,
        "clear_faults.value == «4'h6»",
        "hwif_out.command.clear_faults.value == 4'h3 ? 4'h3 : 4'h6",
        "no_other_code",
    ),
    "bad addresses accepted": (
        REGS,
        "decoded_err = («~is_valid_addr» | (",
        "1'b0",
        "without_a_register",
    ),
    "writes to read-only registers accepted": (
        REGS,
        "(is_valid_addr & «~is_valid_rw»)",
        "1'b0",
        "read_only",
    ),
}


@pytest.fixture(scope="module")
def run(carry_mutants: Any) -> Any:
    return carry_mutants(registers_benches, MUTANTS)


def test_registers_of_the_compute_node_pass(run: Any) -> None:
    records = run.sound()
    assert [record.message for record in records if record.status is not Status.PASSED] == []
    assert len(records) == TESTS


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_register_is_noticed(name: str, run: Any) -> None:
    assert run.failures(name)
