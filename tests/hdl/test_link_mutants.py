# SPDX-License-Identifier: Apache-2.0
"""The bench of the line passes on the compute node and goes red on each broken copy of it."""

from typing import Any

import pytest

from fw_tools.flow.benches.link import link_benches
from fw_tools.report.records import Status

TESTS = 29
PROGRAM = "compute_node_program.sv"

# File, broken expression, what it becomes, the test that must notice.
MUTANTS = {
    "a bit sampled once": (
        "uart_rx.sv",
        "= «(line & sample_q[0]) | (line & sample_q[1]) | (sample_q[0] & sample_q[1])»;",
        "sample_q[0]",
        "fast_or_slow",
    ),
    "bits in the wrong order": (
        "uart_rx.sv",
        "<= «{level, shift_q[7:1]}»;",
        "{shift_q[6:0], level}",
        "ping",
    ),
    "no framing error": ("uart_rx.sv", "framing_error_o = «is_stop && !level»", "1'b0", "no_whole"),
    "no stop bit": ("uart_tx.sv", "<= {1'b1, «1'b1», octet_i}", "1'b0", "ping"),
    "a zero after the longest block": (
        "cobs_decoder.sv",
        "<= «octet_i != LongestBlock»;",
        "1'b1",
        "no_whole",
    ),
    "a block that breaks off is taken": (
        "cobs_decoder.sv",
        "is_spoilt_q || «left_q != 8'd0»;",
        "1'b0",
        "no_whole",
    ),
    "no length check": (
        "frame_receiver.sv",
        "is_kept         = is_whole && «is_length_right»",
        "1'b1",
        "no_whole",
    ),
    "no sum check": ("frame_receiver.sv", "<= «crc_next == 16'h0000»;", "1'b1", "no_whole"),
    "an endless frame": (
        "frame_receiver.sv",
        "|| «received >= LengthBits'(LongestPacket)»;",
        "1'b0",
        "no_whole",
    ),
    "a packet that is never released": (
        "frame_receiver.sv",
        "<= «base_q + length_q»;",
        "base_q",
        "ping",
    ),
    "a sum that starts at zero": (
        "frame_sender.sv",
        "          crc_q   <= «'1»;",
        "'0",
        "ping",
    ),
    "no delimiter behind a frame": (
        "frame_sender.sv",
        "is_write    = «state_q == Finish || valid_i»",
        "valid_i",
        "ping",
    ),
    "a full ring that is written on": (
        "frame_sender.sv",
        "&& «(!is_full || is_hopeless)»;",
        "1'b1",
        "housekeeping",
    ),
    "no carry": (
        "engine_core.sv",
        "Cmp, Cpi:     state_d.carry = «difference[16]»;",
        "1'b0",
        "every_command",
    ),
    "no zero of a comparison": (
        "engine_core.sv",
        "state_d.zero = «difference[15:0] == '0»;",
        "1'b1",
        "every_command",
    ),
    "a refused bus access that passes": (
        "pus_link.sv",
        "port_word    = {15'd0, «apb_pslverr_i»};",
        "1'b0",
        "cannot_be",
    ),
    "a warm reset that is no reset": (
        "pus_link.sv",
        "restart_o = «(is_write && port == PortRestart) && word == RestartWord»",
        "1'b0",
        "warm_reset",
    ),
    "a warm reset that says cold": (
        "warm_reset.sv",
        "      .d_i      («1'b1»)",
        "1'b0",
        "warm_reset",
    ),
    "breaks that are not counted": ("pus_link.sv", "    «is_break»,\n", "1'b0", "no_whole"),
    "a second that does not pass": (
        "pus_link.sv",
        ".event_i(«is_millisecond»)",
        "1'b0",
        "housekeeping",
    ),
    "a time that cannot be set": (
        "pus_link.sv",
        "time_set_o    = «(is_write && port == PortTimeSet)»",
        "1'b0",
        "time_is_set",
    ),
    "a link that waits for ever": (
        "memory_gate.sv",
        "|| «waited_q >= WaitBits'(PatienceClocks)»)",
        "1'b0",
        "memories",
    ),
    "octets the wrong way round": (
        "memory_gate.sv",
        "octet_o         = word_q[«place»*8+:8]",
        "place ^ OctetMask",
        "memories",
    ),
    "an uncorrectable word that passes": (
        "memory_gate.sv",
        "uncorrectable_o = «is_read_q && runcorrectable_i»",
        "1'b0",
        "memories",
    ),
    "another CRC-32": ("crc32_octet.sv", "? «Polynomial» :", "32'hedb88321", "memories"),
    "a program that is not put right": (
        "compute_node_program.sv",
        "if («corrected_o») mem",
        "1'b0",
        "upset",
    ),
    "words that are not corrected": (
        "engine_ram.sv",
        ".codeword_i     («stored»)",
        "{stored[21:16], stored[15:0] & 16'hfffe}",
        "upset",
    ),
    "segments are taken": (PROGRAM, "; jnz command_segmented", "ldi 0", "cannot_be"),
    "PUS-A is taken": (PROGRAM, "; jnz command_version", "ldi 0", "cannot_be"),
    "none and two structures": (PROGRAM, "; jnz housekeeping_number", "ldi 0", "cannot_be"),
    "none and two areas": (PROGRAM, "; jnz memory_areas", "ldi 0", "cannot_be"),
    "an area past the end": (PROGRAM, "; cmp place_low", "ldi 0", "cannot_be"),
    "data with any sum": (PROGRAM, "; jnz memory_wrong_sum", "ldi 0", "cannot_be"),
    "a count that stands still": (PROGRAM, "; and sequence_count", "ldi 0", "counts_wrap"),
    "a report without room waits": (PROGRAM, "; jc housekeeping_lost", "ldi 0", "housekeeping"),
    "a time that stops at its end": (
        "cuc_time.sv",
        "48'(«is_unit_complete»)",
        "is_unit_complete && !(&time_q)",
        "time_is_set",
    ),
    "no delimiter before a frame": (
        "frame_sender.sv",
        "write_octet = «Delimiter»",
        "state_q == Finish ? Delimiter : 8'h01",
        "mid_report",
    ),
    "a golden slot that is open": (PROGRAM, "; cpi golden_blocks", "cpi 0", "the_flash"),
    "an image of another gateware": (PROGRAM, "; cmp slot_octet", "ldi 0", "best_slot"),
    "the oldest slot first": (PROGRAM, "; jc loader_look_next", "jnc 0", "best_slot"),
    "no check of a header": (PROGRAM, "; jnz slot_damaged", "ldi 0", "best_slot"),
    "half a check of an image": (PROGRAM, "; cmp image_crc_low", "ldi 0", "best_slot"),
    "the other half": (PROGRAM, "; cmp image_crc_high", "ldi 0", "best_slot"),
    "any register is loaded": (PROGRAM, "; call parameter_allowed", "ldi 0", "best_slot"),
    "an image read past its end": (PROGRAM, "; sub length_low", "ldi 0", "best_slot"),
    "boot select that is not looked at": (PROGRAM, "; jnz loader_rescue", "ldi 0", "best_slot"),
    "a flash that is not there": (PROGRAM, "; cpi flash_absent", "cpi 254", "the_flash"),
    "a sum that the flash does not reach": (
        "pus_link.sv",
        "(is_write && port == PortCrcOctet) || «is_flash_summed»;",
        "1'b0",
        "the_flash",
    ),
    "a sum of other octets": (
        "pus_link.sv",
        "sum_octet    = «is_flash_summed ? flash_octet : word[7:0]»;",
        "word[7:0]",
        "the_flash",
    ),
    "a frame with an octet too many": (
        "frame_sender.sv",
        "(is_block_closing && «state_q != LastCode»)",
        "1'b1",
        "full_block",
    ),
    "an image over its header": (PROGRAM, "; cpi last_block", "cpi 255", "octet_too_many"),
    "a request that nobody makes": (
        "pus_link.sv",
        "&& «word[15:5] == WarmBootKey»)",
        "1'b0",
        "three_times",
    ),
    "any slot can be loaded": (
        "pus_link.sv",
        "WarmBoot ? «warm_boot_slots_i» : '0",
        "'1",
        "cannot_be_loaded",
    ),
    "a bitstream without an end": (PROGRAM, "; ani attempts_left", "ldi 1", "three_times"),
    "one that has run and is not known": (PROGRAM, "; st slot_unproven", "ldi 0", "endless"),
    "a slot with its request": (PROGRAM, "; adi warm_boot_asked", "adi 17", "three_times"),
    "a line that is not offered": (PROGRAM, "; call rescue", "ldi 0", "slot_is_loaded"),
    "a damaged frame that is taken": (PROGRAM, "; cmp sfl_crc", "ldi 0", "slot_is_loaded"),
    "a repeat that is refused": (PROGRAM, "; jz rescue_done", "ldi 0", "slot_is_loaded"),
    "a frame that is half let go": (PROGRAM, "; adi sfl_head", "adi 3", "slot_is_loaded"),
    "a slot that runs over": (PROGRAM, "; cmp sfl_end_low", "ldi 0", "no_more_than_fits"),
    "a part of an image": (PROGRAM, "; cmp image_length_low", "ldi 0", "slot_is_loaded"),
    "a header with the file's number": (PROGRAM, "; st rescue_head+3", "ldi 0", "slot_is_loaded"),
    "a rescue without an end": (PROGRAM, "; add rescue_idle", "ldi 0", "line_comes_back"),
    "octets of the line one too late": (
        "frame_receiver.sv",
        "(«is_raw_i ? read_q : base_q») != kept_q",
        "base_q",
        "slot_is_loaded",
    ),
}


@pytest.fixture(scope="module")
def run(carry_mutants: Any) -> Any:
    return carry_mutants(link_benches, MUTANTS)


def test_the_line_of_the_compute_node_passes(run: Any) -> None:
    records = run.sound()
    assert [record.message for record in records if record.status is not Status.PASSED] == []
    assert len(records) == TESTS


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_line_is_noticed(name: str, run: Any) -> None:
    assert run.failures(name)
