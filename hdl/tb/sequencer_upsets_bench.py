# SPDX-License-Identifier: Apache-2.0
"""Upsets in every hardened register of a power sequencer, in every state of every rail.

Configuration and top: see `hdl.tb.sequencer_driver`. A flip is written between two clocks; the
reference machine is told only what a flip is allowed to show, so that every output of every later
clock is still compared, and an enable pin that moves at any moment is seen.
"""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import cocotb

from fw_tools.power.records import FaultCause, FaultResponse, OnUpset, RailState
from fw_tools.power.state_codes import RAIL_STATE_BITS, RAIL_STATE_CODES, nearest
from hdl.tb.rail_plant import RailFault
from hdl.tb.sequencer_driver import Config, SequencerBench, seen_after

REPLICAS = 3

CODES = list(RAIL_STATE_CODES.values())
LEGAL = frozenset(CODES)
LOST_WORDS = [word for word in range(1 << RAIL_STATE_BITS) if nearest(word, CODES) is None]
Visit = Callable[[], Awaitable[None]]


class Registers:
    """The hardened registers of one sequencer, by rail."""

    def __init__(self, bench: SequencerBench) -> None:
        self.bench = bench
        self._top = bench.dut.u_sequencer

    def code(self, rail: int) -> Any:
        """Return the state code of a rail."""
        return self._cell(rail).u_state.u_code.stored_q

    def timer(self, rail: int) -> Any:
        """Return the timer of a rail with its parity bit on top."""
        return self._cell(rail).u_timer.u_count.stored_q

    def voted(self, rail: int) -> list[list[Any]]:
        """Return the voted registers that a rail hangs on, each as its replicas."""
        cell, supervisor = self._cell(rail), self._top.u_supervisor
        registers = [cell.u_enable, cell.u_faulted, cell.u_pg_filter.u_level]
        if self.bench.rails[rail].hard_trip:
            registers.append(cell.gen_trip.u_oc_filter.u_level)
        registers += [supervisor.u_halted, supervisor.u_first_fault]
        return [
            [register.gen_replica[index].u_replica.stored_q for index in range(REPLICAS)]
            for register in registers
        ]

    def _cell(self, rail: int) -> Any:
        return getattr(self._top, f"u_{self.bench.names[rail]}")


def flip(register: Any, bit: int) -> None:
    """Flip one bit of a register."""
    register.value = int(register.value) ^ 1 << bit


async def flip_code(bench: SequencerBench, registers: Registers, rail: int, bit: int) -> None:
    """Flip one bit of a state code; one clock later the right code must be stored again."""
    word = int(registers.code(rail).value) ^ 1 << bit
    registers.code(rail).value = word
    bench.model.upset_state(bench.names[rail], word)
    await bench.run(1)
    stored = int(registers.code(rail).value)
    assert stored == RAIL_STATE_CODES[bench.state(rail)], f"{bench.names[rail]}: {stored:06b}"


async def flip_every_replica(bench: SequencerBench, registers: Registers, rail: int) -> None:
    """Flip the replicas of each voted register one clock apart; none may outlive its clock."""
    for replicas in registers.voted(rail):
        for replica in replicas:
            flip(replica, random.randrange(len(replica)))
            bench.model.count_corrected()
            await bench.run(1)
            values = [int(other.value) for other in replicas]
            assert len(set(values)) == 1, f"{replica._path} was not healed: {values}"


def can_be_brought_to_fault(bench: SequencerBench, rail: int) -> bool:
    """Tell whether `walk` meets a rail in FAULT and DRAIN: not if nothing brings it down."""
    machine = bench.model.rails[bench.names[rail]]
    is_ignored = machine.response(FaultCause.PG_LOST) is FaultResponse.IGNORE
    return not (machine.rail.keep_alive and is_ignored)


async def bring_to_fault(bench: SequencerBench, registers: Registers, rail: int) -> None:
    """Let a rail drop; where that is ignored, lose its state."""
    machine = bench.model.rails[bench.names[rail]]
    if machine.response(FaultCause.PG_LOST) is FaultResponse.IGNORE:
        registers.code(rail).value = LOST_WORDS[0]
        bench.model.upset_state(bench.names[rail], LOST_WORDS[0])
    else:
        bench.set_fault(rail, RailFault.DROP)
    await bench.run_until_quiet()


async def walk(bench: SequencerBench, registers: Registers, rail: int, visit: Visit) -> None:
    """Take a rail through all of its states from reset, and call `visit` in each."""
    await bench.reset()
    await visit()
    bench.power_up = True
    for state in (RailState.RAMP, RailState.SETTLE, RailState.ON):
        await bench.run_until_state(rail, state)
        await visit()
    await bench.run_until_quiet()
    await bring_to_fault(bench, registers, rail)
    await visit()  # FAULT
    bench.set_fault(rail, RailFault.POWER_GOOD_STUCK)
    bench.power_up = False
    await bench.run(2 * seen_after(bench.config.limits(bench.rails[rail])))
    await bench.pulse_clear()
    await visit()  # DRAIN, as long as power good does not fall.
    await bench.cure(rail)


@cocotb.test()
async def every_flip_of_a_state_code_is_put_right_in_one_clock(dut):
    bench = await SequencerBench.start(dut)
    registers = Registers(bench)
    covered: set[tuple[str, RailState, int]] = set()
    for rail, spec in enumerate(bench.rails):
        if spec.on_upset is OnUpset.SAFE_OFF:
            continue
        for bit in range(RAIL_STATE_BITS):

            async def visit(rail: int = rail, bit: int = bit) -> None:
                covered.add((bench.names[rail], bench.state(rail), bit))
                await flip_code(bench, registers, rail, bit)

            await walk(bench, registers, rail, visit)
    states = [
        len(RailState) if can_be_brought_to_fault(bench, rail) else len(RailState) - 2
        for rail, spec in enumerate(bench.rails)
        if spec.on_upset is OnUpset.CORRECT
    ]
    due = sum(states) * RAIL_STATE_BITS
    cocotb.log.info("state code flips: %d of %d bins (rail x state x bit)", len(covered), due)
    assert len(covered) == due, "a rail was not met in one of its states"


@cocotb.test(skip=not Config.load().is_voted)
async def every_flip_of_a_voted_register_is_outvoted_and_healed(dut):
    bench = await SequencerBench.start(dut)
    registers = Registers(bench)
    for rail in range(len(bench.rails)):

        async def visit(rail: int = rail) -> None:
            await flip_every_replica(bench, registers, rail)

        await walk(bench, registers, rail, visit)


@cocotb.test()
async def every_flip_of_a_timer_lengthens_its_interval_and_nothing_else(dut):
    bench = await SequencerBench.start(dut)
    registers = Registers(bench)
    for rail, name in enumerate(bench.names):

        async def visit(rail: int = rail, name: str = name) -> None:
            for bit in range(len(registers.timer(rail))):
                flip(registers.timer(rail), bit)
                bench.model.upset_timer(name)
                await bench.run(1)

        await walk(bench, registers, rail, visit)


@cocotb.test()
async def a_state_beyond_correction_takes_switched_rails_down_and_keeps_the_others(dut):
    bench = await SequencerBench.start(dut)
    registers = Registers(bench)
    for rail in range(len(bench.rails)):
        for state in (RailState.OFF, RailState.RAMP, RailState.SETTLE, RailState.ON):
            await lose_state(bench, registers, rail, state, random.choice(LOST_WORDS))


@cocotb.test()
async def any_flip_in_a_safe_off_rail_takes_switched_rails_down(dut):
    bench = await SequencerBench.start(dut)
    registers = Registers(bench)
    for rail, spec in enumerate(bench.rails):
        if spec.on_upset is OnUpset.SAFE_OFF:
            for bit in range(RAIL_STATE_BITS):
                word = RAIL_STATE_CODES[RailState.ON] ^ 1 << bit
                await lose_state(bench, registers, rail, RailState.ON, word)


async def lose_state(
    bench: SequencerBench, registers: Registers, rail: int, state: RailState, word: int
) -> None:
    """Write an illegal code in one state of a rail, look at the pins, clear: all must come back."""
    assert word not in LEGAL
    await bench.reset()
    bench.power_up = True
    await bench.run_until_state(rail, state)
    before = bench.model.outputs()
    registers.code(rail).value = word
    bench.model.upset_state(bench.names[rail], word)
    await bench.run(1)
    after = bench.model.outputs()
    place = f"{bench.names[rail]} in {state.name}, code {word:06b}"
    assert after.enable & ~bench.keep_alive_rails == 0, f"{place}: {after}"
    assert before.enable & bench.keep_alive_rails & ~after.enable == 0, f"{place}: {after}"
    assert (after.first_fault_rail, after.first_fault_cause) == (rail, FaultCause.UPSET), place
    assert after.halted, place
    assert after.upsets_uncorrectable == 1, place
    await bench.run_until_quiet()
    await bench.pulse_clear()
    await bench.run_until_quiet()
    assert bench.model.outputs().on == bench.all_rails, f"{place}: not back after clear"
