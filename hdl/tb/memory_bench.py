# SPDX-License-Identifier: Apache-2.0
"""An ECC memory against a reference: traffic, upsets deposited in its array, scrubbing, counters.

Configuration (JSON, named by FW_BENCH_CONFIG): `data_bits`, `words` and `scrub_interval_clocks`.
Top: `memory_harness`, which holds the clock.
"""

import random
from itertools import combinations, product
from typing import Any

import cocotb

from fw_tools.ecc import Verdict, decode, encode, flips
from hdl.tb.memory_driver import MemoryBench

SAMPLED_WORDS = 32
TRAFFIC_CLOCKS = 3000
HIGHEST_COUNT = 0xFFFF
VISIT_CLOCKS = 10  # A visit that restores takes 6 clocks when the user is silent.
# A visit and its 8 restarts; in each of them it waits up to 64 clocks for every one it takes.
LONGEST_VISIT_CLOCKS = 9 * 3 * (64 + VISIT_CLOCKS)


@cocotb.test()
async def every_word_is_written_before_the_first_grant(dut: Any) -> None:
    bench = await MemoryBench.reset(dut)
    sample = bench.sample(SAMPLED_WORDS)
    for address in sample:
        bench.upset(address, random.getrandbits(bench.code.codeword_bits))
    dut.request_i.value = 1
    for _ in range(bench.words):
        assert not dut.grant_o.value
        await bench.clock()
    assert dut.grant_o.value
    assert dut.init_done_o.value
    assert [bench.peek(address) for address in sample] == [0] * len(sample)


@cocotb.test()
async def a_flip_in_each_clock_of_the_first_writing_leaves_no_word_out(dut: Any) -> None:
    bench = await MemoryBench.reset(dut)
    for address in range(bench.words):
        bench.upset(address, random.getrandbits(bench.code.codeword_bits))
    for _ in range(bench.words):
        assert not dut.init_done_o.value
        bench.flip_replica("patrol", random.randrange(bench.address_bits))
        await bench.clock()
    assert dut.init_done_o.value
    assert bench.wrong_words() == []


@cocotb.test()
async def random_traffic_meets_the_reference_while_upsets_are_scrubbed(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    addresses = bench.sample(8)
    upsets = 0
    for _ in range(TRAFFIC_CLOCKS):
        if random.random() < 0.02 and not bench.is_visiting:
            upsets += bench.upset_if_clean(random.choice(addresses))
        await bench.random_access(addresses)
    await bench.visit_all(addresses)
    assert all(bench.is_clean(address) for address in addresses)
    assert 0 < bench.count("corrected") <= upsets
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def an_upset_of_every_bit_is_scrubbed_away_counted_and_located(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    for number, mask in enumerate(flips(bench.code.codeword_bits, 1), start=1):
        address = random.randrange(bench.words)
        await bench.write(address, random.getrandbits(bench.code.data_bits))
        bench.upset(address, mask)
        await bench.visit(address)
        assert bench.is_clean(address), f"word {address}, mask {mask:#x}"
        assert bench.count("corrected") == number
        assert int(dut.last_error_address_o.value) == address
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def a_pass_visits_every_word_once(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    await bench.next_pass()
    sample = bench.sample(SAMPLED_WORDS)
    for address in sample:
        bench.upset(address, 1 << random.randrange(bench.code.codeword_bits))
    passes = bench.count("scrub_pass")
    await bench.next_pass()
    assert bench.count("scrub_pass") == passes + 1
    assert bench.count("corrected") == len(sample)
    assert int(dut.last_error_address_o.value) == max(sample)
    assert all(bench.is_clean(address) for address in sample)


@cocotb.test()
async def words_are_visited_at_the_interval(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    for _ in range(2):  # A visit that fell due during the first writing comes late.
        await bench.clocks_until_patrol_moves()
    for _ in range(4):
        assert await bench.clocks_until_patrol_moves() == bench.interval_clocks


@cocotb.test()
async def a_double_upset_is_reported_by_read_and_once_a_visit(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    address = random.randrange(bench.words)
    bench.upset(address, 0b11 << random.randrange(bench.code.codeword_bits - 1))
    damaged = bench.peek(address)
    for visits in (1, 2, 3):
        await bench.visit(address)
        assert bench.count("uncorrectable") == visits
    assert (await bench.read(address)).is_uncorrectable
    await bench.clock()
    assert bench.count("uncorrectable") == 4
    assert int(dut.last_error_address_o.value) == address
    assert bench.peek(address) == damaged, "an uncorrectable word must be left as it is"
    await bench.write(address, 5)
    await bench.visit(address)
    assert bench.count("uncorrectable") == 4
    assert bench.count("corrected") == bench.count("stuck") == 0


@cocotb.test()
async def a_read_that_finds_an_upset_is_corrected_and_its_word_restored_at_once(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    dut.scrub_enable_i.value = 0
    for number in (1, 2, 3):
        address = random.randrange(bench.words)
        await bench.write(address, random.getrandbits(bench.code.data_bits))
        bench.upset(address, 1 << random.randrange(bench.code.codeword_bits))
        answer = await bench.read(address)
        assert answer.data == bench.expected(address)
        assert answer.is_corrected
        await bench.clock(VISIT_CLOCKS)
        assert bench.is_clean(address)
        assert bench.count("corrected") == number, "one upset counts once"
        assert not (await bench.read(address)).is_corrected


@cocotb.test()
async def nothing_is_visited_while_scrubbing_is_off(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    dut.scrub_enable_i.value = 0
    await bench.clock(VISIT_CLOCKS)
    place = int(bench.patrol.value)
    bench.upset(place, 1)
    await bench.clock(4 * bench.interval_clocks)
    assert int(bench.patrol.value) == place
    assert not bench.is_clean(place)
    dut.scrub_enable_i.value = 1
    await bench.clock(bench.interval_clocks + VISIT_CLOCKS)
    assert bench.is_clean(place)


@cocotb.test()
async def a_write_that_meets_a_visit_of_its_word_loses_neither(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    for phase in range(bench.interval_clocks + VISIT_CLOCKS):
        address = random.randrange(bench.words)
        bench.upset(address, 1 << random.randrange(bench.code.codeword_bits))
        await bench.arrive_at(address)
        await bench.clock(phase)
        await bench.write(address, random.getrandbits(bench.code.data_bits))
        await bench.visit(address)
        assert bench.is_clean(address), f"phase {phase}: the write was lost"
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def a_visit_that_meets_a_wrong_write_of_its_word_restores_it(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    restarted = 0
    for phase in range(bench.interval_clocks + VISIT_CLOCKS):
        address = random.randrange(bench.words)
        bench.upset(address, 1 << random.randrange(bench.code.codeword_bits))
        await bench.arrive_at(address)
        await bench.clock(phase)
        counted = bench.count("corrected")
        is_under_way = bench.is_visiting
        await bench.write(address, random.getrandbits(bench.code.data_bits), inject=1)
        if int(bench.patrol.value) == address:  # Else the visit ended with this write.
            restarted += is_under_way
            await bench.clocks_until_patrol_moves()
            assert bench.is_clean(address), f"phase {phase}: the visit was lost"
            assert bench.count("corrected") == counted + 1
        await bench.visit(address)
    assert restarted >= 3  # Between the read and the end of the visit lie that many clocks.
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def a_word_rewritten_wrong_at_any_pace_does_not_hold_up_the_patrol(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    for pace in range(1, 9):
        address = random.randrange(bench.words)
        await bench.write(address, random.getrandbits(bench.code.data_bits), inject=1)
        await bench.arrive_at(address)
        for clock in range(bench.interval_clocks + LONGEST_VISIT_CLOCKS):
            if int(bench.patrol.value) != address:
                break
            if clock % pace:
                await bench.clock()
            else:
                await bench.access(address, random.getrandbits(bench.code.data_bits), inject=1)
        assert int(bench.patrol.value) != address, f"rewritten every {pace} clocks"
        await bench.visit(address)
        assert bench.is_clean(address), f"rewritten every {pace} clocks: the last write was lost"
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def reads_at_every_phase_of_a_visit_are_right(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    for phase in range(bench.interval_clocks + VISIT_CLOCKS):
        address = random.randrange(bench.words)
        await bench.write(address, random.getrandbits(bench.code.data_bits))
        bench.upset(address, 1 << random.randrange(bench.code.codeword_bits))
        await bench.arrive_at(address)
        await bench.clock(phase)
        counted = bench.count("corrected")
        for _ in range(3):
            assert (await bench.read(address)).data == bench.expected(address)
        await bench.visit(address)
        assert bench.is_clean(address)
        assert bench.count("corrected") - counted <= 1


@cocotb.test()
async def a_user_who_never_pauses_does_not_stop_the_scrubber(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    addresses = bench.sample(4)
    victim = random.choice(addresses)
    bench.upset(victim, 1)
    await bench.arrive_at(victim)
    granted = clocks = 0
    while not bench.is_clean(victim) and clocks < 1000:
        granted += await bench.access((victim + 1) % bench.words, None)
        clocks += 1
    assert bench.is_clean(victim)
    assert granted >= 0.95 * clocks


@cocotb.test()
async def a_stuck_bit_counts_once_a_visit_and_raises_its_flag(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    address = random.randrange(bench.words)
    with bench.stuck_bit(address, random.randrange(bench.code.codeword_bits)):
        for visits in (1, 2, 3):
            await bench.visit(address)
            assert bench.count("stuck") == visits
            assert dut.stuck_o.value
        dut.scrub_enable_i.value = 0
        for _ in range(20):
            answer = await bench.read(address)
            assert answer.data == bench.expected(address)
            assert answer.is_corrected
            await bench.clock(random.randrange(VISIT_CLOCKS))
        assert bench.count("stuck") == visits
        assert bench.count("corrected") == 0, "a stuck word must not flood the corrected count"
        assert int(dut.last_error_address_o.value) == address
    dut.scrub_enable_i.value = 1
    await bench.write(address, 0)
    await bench.clear_counters()
    await bench.visit(address)
    assert not dut.stuck_o.value
    assert bench.count("stuck") == 0


@cocotb.test()
async def counters_stay_at_their_highest_value_until_cleared(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    address = bench.words - 1
    bench.preset_counters(HIGHEST_COUNT - 1)
    for wanted in (HIGHEST_COUNT, HIGHEST_COUNT, HIGHEST_COUNT):
        bench.upset(address, 0b1)
        await bench.visit(address)
        bench.upset(address, 0b11)
        await bench.visit(address)
        await bench.write(address, 0)
        with bench.stuck_bit(address, 0):
            await bench.visit(address)
        await bench.write(address, 0)
        assert bench.counts() == [wanted] * 4
    await bench.clear_counters()
    assert bench.counts() == [0] * 4
    assert int(dut.last_error_address_o.value) == 0


@cocotb.test()
async def the_injection_port_flips_any_bits_of_a_written_codeword(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    dut.scrub_enable_i.value = 0
    n = bench.code.codeword_bits
    masks = [*flips(n, 1), *random.sample(list(flips(n, 2)), 8), (1 << n) - 1]
    for mask in masks:
        address = random.randrange(bench.words)
        data = random.getrandbits(bench.code.data_bits)
        await bench.write(address, data, inject=mask)
        assert bench.peek(address) == encode(bench.code, data) ^ mask
        wanted = decode(bench.code, encode(bench.code, data) ^ mask)
        answer = await bench.read(address)
        assert answer.data == wanted.data
        assert answer.is_corrected == (wanted.verdict is Verdict.CORRECTED)
        assert answer.is_uncorrectable == (wanted.verdict is Verdict.UNCORRECTABLE)
        await bench.write(address, data)
        assert bench.is_clean(address), "the mask must not act while inject_valid_i is low"


@cocotb.test()
async def an_access_beyond_the_last_word_changes_nothing(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    beyond = range(bench.words, 1 << bench.address_bits)
    sample = bench.sample(SAMPLED_WORDS)
    for address in random.sample(beyond, min(len(beyond), 8)):
        await bench.write(address, 1)
        assert (await bench.read(address)).is_uncorrectable
    assert all(bench.peek(address) == 0 for address in sample)
    assert bench.counts()[:3] == [0, 0, 0]


@cocotb.test()
async def a_flipped_bit_of_the_state_code_changes_nothing(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    sample = bench.sample(SAMPLED_WORDS)
    await bench.begin_visit(sample[0])
    undisturbed = await bench.stored_states(VISIT_CLOCKS)
    for one, other in combinations(set(undisturbed), 2):
        assert (one ^ other).bit_count() >= 3
    moments = list(product(range(bench.state_bits), range(VISIT_CLOCKS)))
    for counted, (bit, phase) in enumerate(moments, start=2):
        address = random.randrange(bench.words)
        await bench.begin_visit(address)
        await bench.clock(phase)
        bench.flip_state(1 << bit)
        await bench.clock()
        assert bench.stored_state == undisturbed[phase + 1], f"bit {bit}, phase {phase}"
        await bench.visit(address)
        assert bench.count("corrected") == counted, f"bit {bit}, phase {phase}"
        assert bench.is_clean(address)
    assert all(bench.is_clean(address) for address in sample)
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def a_flipped_replica_of_what_a_visit_acts_on_reaches_no_word(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    dut.scrub_enable_i.value = 0
    await bench.begin_repair(bench.words - 1)
    await bench.clock(VISIT_CLOCKS)
    moments = product(bench.voted_bits(), range(VISIT_CLOCKS), ("patrol", "repair"))
    for counted, ((name, bit), phase, kind) in enumerate(moments, start=2):
        address = random.randrange(bench.words)
        dut.scrub_enable_i.value = kind == "patrol"
        await bench.write(address, random.getrandbits(bench.code.data_bits))
        await (bench.begin_visit if kind == "patrol" else bench.begin_repair)(address)
        await bench.clock(phase)
        bench.flip_replica(name, bit)
        await bench.clock(VISIT_CLOCKS)
        assert bench.is_clean(address), f"{kind}, phase {phase}: {name}[{bit}]"
        assert bench.count("corrected") == counted, f"{kind}, phase {phase}: {name}[{bit}]"
    assert bench.wrong_words() == [], "a word was written to another's place"
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def a_flipped_replica_of_the_mark_of_a_write_loses_no_write(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    for phase in range(bench.interval_clocks + VISIT_CLOCKS):
        address = random.randrange(bench.words)
        bench.upset(address, 1 << random.randrange(bench.code.codeword_bits))
        await bench.arrive_at(address)
        await bench.clock(phase)
        await bench.write(address, random.getrandbits(bench.code.data_bits))
        for _ in range(VISIT_CLOCKS):
            bench.flip_replica("is_touched", 0)
            await bench.clock()
        await bench.visit(address)
        assert bench.is_clean(address), f"phase {phase}: the write was lost"
    assert bench.count("uncorrectable") == bench.count("stuck") == 0


@cocotb.test()
async def two_flipped_bits_of_the_state_code_neither_erase_nor_block(dut: Any) -> None:
    bench = await MemoryBench.start(dut)
    addresses = bench.sample(4)
    for address in addresses:
        await bench.write(address, random.getrandbits(bench.code.data_bits))
    for mask in flips(bench.state_bits, 2):
        await bench.clock(random.randrange(bench.interval_clocks))
        bench.flip_state(mask)
        await bench.clock(2)
        assert dut.init_done_o.value
        await bench.visit(addresses[0])
        assert all(bench.is_clean(address) for address in addresses)
    assert bench.counts()[:3] == [0, 0, 0]
