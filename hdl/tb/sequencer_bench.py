# SPDX-License-Identifier: Apache-2.0
"""A power sequencer against rails that misbehave: every rail, every fault, in every phase.

Configuration and top: see `hdl.tb.sequencer_driver`. Every output of every clock is compared with
the reference machine; what must follow from a fault is stated here once more, in plain terms.
"""

import random
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import cocotb

from fw_tools.power.records import FaultCause, FaultResponse, RailState
from hdl.tb.rail_plant import RailFault
from hdl.tb.sequencer_driver import SequencerBench, is_early_seen, is_late_possible

OVER_CURRENT_FAULTS = (RailFault.LATCH_UP, RailFault.SHORT_SURGE)
RANDOM_CLOCKS = 20_000
UNSPECIFIED = object()  # What follows depends on the moment; the reference machine knows.


class Phase(StrEnum):
    """When a fault begins."""

    BRING_UP = "bring-up"
    RUN = "run"
    DOWN = "down"


def expected_effect(bench: SequencerBench, rail: int, fault: RailFault, phase: Phase) -> Any:
    """Return the cause that must be reported for the rail, None for no fault, or UNSPECIFIED."""
    spec = bench.rails[rail]
    limits = bench.config.limits(spec)
    if phase is Phase.DOWN:
        welded = fault in (RailFault.POWER_GOOD_STUCK, RailFault.STUCK_ON)
        return FaultCause.STUCK_ON if welded and not spec.keep_alive else UNSPECIFIED
    if phase is Phase.RUN:
        return {
            RailFault.NO_POWER_GOOD: FaultCause.PG_LOST,
            RailFault.DROP: FaultCause.PG_LOST,
            RailFault.LONG_GLITCH: FaultCause.PG_LOST,
            RailFault.LATCH_UP: FaultCause.OC,
        }.get(fault)
    if fault in (RailFault.EARLY, RailFault.POWER_GOOD_STUCK):
        is_seen = is_early_seen(limits, bench.config.clocks_per_us)
        return FaultCause.RAMP_EARLY if is_seen else UNSPECIFIED
    if fault is RailFault.STUCK_ON:
        return UNSPECIFIED
    return {
        RailFault.NO_POWER_GOOD: FaultCause.RAMP_TIMEOUT,
        RailFault.DROP: FaultCause.RAMP_TIMEOUT,
        RailFault.LONG_GLITCH: FaultCause.PG_LOST,
        RailFault.LATCH_UP: FaultCause.OC,
    }.get(fault)


def check_effect(bench: SequencerBench, rail: int, fault: RailFault, phase: Phase) -> None:
    """Compare what the sequencer reports with what must follow from the fault."""
    expected = expected_effect(bench, rail, fault, phase)
    if expected is UNSPECIFIED:
        return
    outputs, name = bench.model.outputs(), bench.names[rail]
    reported = bool(outputs.faulted >> rail & 1)
    assert reported == (expected is not None), f"{fault} of {name} in {phase}: {outputs}"
    if expected is None:
        assert outputs.on == bench.all_rails, f"{fault} of {name} in {phase}: {outputs}"
    elif bench.model.rails[name].response(expected) is not FaultResponse.IGNORE:
        first = (outputs.first_fault_rail, outputs.first_fault_cause)
        assert first == (rail, expected), f"{fault} of {name} in {phase}: first fault is {first}"
    if fault is RailFault.LATE and is_late_possible(
        bench.config.limits(bench.rails[rail]), bench.config.clocks_per_us
    ):
        assert bool(outputs.late >> rail & 1) == (phase is Phase.BRING_UP), f"late of {name}"


def bins(bench: SequencerBench) -> Iterator[tuple[int, RailFault]]:
    """Yield every rail with every fault that it can have."""
    for rail, spec in enumerate(bench.rails):
        for fault in RailFault:
            if spec.hard_trip or fault not in OVER_CURRENT_FAULTS:
                yield rail, fault


async def fault_in_bring_up(bench: SequencerBench, rail: int, fault: RailFault) -> None:
    """Bring the board up from reset with a fault; a glitch begins once the rail settles."""
    is_glitch = fault in (RailFault.SHORT_GLITCH, RailFault.LONG_GLITCH)
    await bench.reset({} if is_glitch else {rail: fault})
    bench.power_up = True
    if is_glitch:
        await bench.run_until_state(rail, RailState.SETTLE)
        bench.set_fault(rail, fault)
    await bench.run_until_quiet()
    check_effect(bench, rail, fault, Phase.BRING_UP)


async def fault_while_running(bench: SequencerBench, rail: int, fault: RailFault) -> None:
    """Let a rail of a board that is on go wrong; cured and cleared, the board comes back."""
    bench.power_up = True
    await bench.run_until_quiet()
    bench.set_fault(rail, fault)
    await bench.run_until_quiet()
    check_effect(bench, rail, fault, Phase.RUN)
    is_oc_ignored = bench.rails[rail].on_fault.oc is FaultResponse.IGNORE
    if fault is RailFault.LATCH_UP and is_oc_ignored:  # Nothing ends it but a loss of supply.
        await bench.reset()
        return
    await bench.cure(rail)
    outputs = bench.model.outputs()
    assert outputs.on == bench.all_rails, f"{fault} of {bench.names[rail]}: not back: {outputs}"
    assert outputs.faulted == outputs.late == outputs.halted == 0, outputs


async def fault_on_the_way_down(bench: SequencerBench, rail: int, fault: RailFault) -> None:
    """Take the board down, and let a rail go wrong in the same clock."""
    bench.power_up = True
    await bench.run_until_quiet()
    bench.set_fault(rail, fault)
    bench.power_up = False
    await bench.run_until_quiet()
    check_effect(bench, rail, fault, Phase.DOWN)
    await bench.cure(rail)
    assert bench.model.outputs().enable == bench.keep_alive_rails


SCENARIOS = {
    Phase.BRING_UP: fault_in_bring_up,
    Phase.RUN: fault_while_running,
    Phase.DOWN: fault_on_the_way_down,
}


async def every_rail_and_fault(bench: SequencerBench, phase: Phase) -> None:
    """Run every bin of one phase, and print what was covered."""
    covered: dict[str, int] = dict.fromkeys(bench.names, 0)
    for rail, fault in bins(bench):
        await SCENARIOS[phase](bench, rail, fault)
        covered[bench.names[rail]] += 1
    for rail in bench.rails:
        due = len(RailFault) - (0 if rail.hard_trip else len(OVER_CURRENT_FAULTS))
        note = "" if rail.hard_trip else " (over-current excluded: no hard trip)"
        cocotb.log.info(
            "%s: %s: %d of %d faults%s", phase, rail.name, covered[rail.name], due, note
        )
        assert covered[rail.name] == due, f"{phase}: {rail.name} has empty bins"


@cocotb.test()
async def all_rails_come_up_in_order_and_go_down_in_reverse(dut):
    bench = await SequencerBench.start(dut)
    for _ in range(2):
        bench.power_up = True
        await bench.run_until_quiet()
        outputs = bench.model.outputs()
        assert outputs.on == bench.all_rails, f"not all are on: {outputs}"
        assert outputs.faulted == outputs.late == 0, outputs
        bench.power_up = False
        await bench.run_until_quiet()
        assert bench.model.outputs().enable == bench.keep_alive_rails


@cocotb.test()
async def every_fault_of_every_rail_during_bring_up(dut):
    await every_rail_and_fault(await SequencerBench.start(dut), Phase.BRING_UP)


@cocotb.test()
async def every_fault_of_every_rail_while_running(dut):
    await every_rail_and_fault(await SequencerBench.start(dut), Phase.RUN)


@cocotb.test()
async def every_fault_of_every_rail_on_the_way_down(dut):
    await every_rail_and_fault(await SequencerBench.start(dut), Phase.DOWN)


@cocotb.test()
async def the_first_fault_is_kept_until_it_is_cleared(dut):
    bench = await SequencerBench.start(dut)
    bench.power_up = True
    await bench.run_until_quiet()
    first = None
    for rail in reversed(range(len(bench.rails))):  # From the top, so that each still is on.
        bench.set_fault(rail, RailFault.DROP)
        await bench.run_until_quiet()
        outputs = bench.model.outputs()
        if first is None and outputs.first_fault_cause:
            first = outputs.first_fault_rail
        assert first is None or outputs.first_fault_rail == first
    await bench.pulse_clear()
    assert bench.model.outputs().first_fault_cause == 0


@cocotb.test()
async def random_faults_requests_and_clears_follow_the_reference_machine(dut):
    bench = await SequencerBench.start(dut)
    candidates = list(bins(bench))
    while bench.model.clock < RANDOM_CLOCKS:
        bench.power_up = random.random() < 0.8
        if random.random() < 0.3:
            bench.set_fault(*random.choice(candidates))
        if random.random() < 0.3:
            bench.set_fault(random.randrange(len(bench.rails)), RailFault.NONE)
        if random.random() < 0.2:
            await bench.pulse_clear()
        await bench.run(random.choice((1, 2, 5, 20, 100, 400)))
