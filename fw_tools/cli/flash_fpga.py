# SPDX-License-Identifier: Apache-2.0
"""`fw-tools flash` for a bitstream: through openFPGALoader, to a board's FPGA or its flash."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from fw_tools.cli.flash_look import Stopwatch, say, say_where, shown_progress
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.flow.flash_fpga import FpgaPlan


def flash_fpga(
    file: Path,
    board: str,
    *,
    is_volatile: bool,
    serial: str | None,
    is_verified_only: bool,
    is_dry: bool,
) -> ExitCode:
    """Check what the file is, say what is done with it, and do it unless `is_dry`."""
    from fw_tools.board.finding import find_board
    from fw_tools.board.openfpgaloader import load
    from fw_tools.flow.flash_fpga import plan_fpga, verify_fpga

    plan = plan_fpga(file, find_board(board), is_volatile=is_volatile, serial=serial)
    if is_verified_only:
        _say_place(plan)
        with shown_progress() as show:
            due = len(plan.held)
            verify_fpga(plan, lambda step, share: show(step, int(share * due), due))
        say("verified", _read_back(plan))
        return ExitCode.DONE
    command = plan.load.command()
    _say_plan(plan)
    if is_dry:
        say("command", shlex.join(command))
        return ExitCode.DONE
    watch = Stopwatch()
    with shown_progress() as show:
        load(plan.load, lambda step, share: show(step, int(share * plan.octets), plan.octets))
    _say_result(plan, watch)
    return ExitCode.DONE


def _say_plan(plan: "FpgaPlan") -> None:
    count = f", {plan.bitstreams} bitstreams" if plan.bitstreams > 1 else ""
    what = f"{plan.octets:,} octets of {plan.load.file.name}{count}"
    _say_place(plan)
    if not plan.load.is_for_flash:
        say("plan", f"load {what}")
    elif plan.load.is_read_back:
        blocks = "1 block" if plan.blocks == 1 else f"{plan.blocks} blocks"
        say("plan", f"erase {blocks} of 64 KiB from 0x0, write {what}, read them back")
    else:
        say("plan", f"erase it, write {what}")


def _say_place(plan: "FpgaPlan") -> None:
    where = "the flash that it loads from"
    if not plan.load.is_for_flash:
        where = "its own memory, until power-off"
    say_where(plan.board.name, f"{plan.part.device}: {where}")


def _read_back(plan: "FpgaPlan") -> str:
    return f"{len(plan.held):,} octets read back"


def _say_result(plan: "FpgaPlan", watch: Stopwatch) -> None:
    if not plan.load.is_for_flash:
        say("loaded", watch.words(plan.octets))
        say("verified", "by the FPGA: IDCODE and CRC of the bitstream hold")
        return
    say("written", watch.words(plan.octets))
    if plan.load.is_read_back:
        say("verified", _read_back(plan))
    else:
        say("verified", "by the FPGA alone: openFPGALoader reads no flash of this family back")
