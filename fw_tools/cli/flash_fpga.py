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
    file: Path, board: str, *, is_volatile: bool, serial: str | None, is_dry: bool
) -> ExitCode:
    """Check what the file is, say what is done with it, and do it unless `is_dry`."""
    from fw_tools.board.finding import find_board
    from fw_tools.board.openfpgaloader import load
    from fw_tools.flow.flash_fpga import plan_fpga

    plan = plan_fpga(file, find_board(board), is_volatile=is_volatile, serial=serial)
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
    if not plan.load.is_for_flash:
        say_where(f"{plan.board.name}", f"{plan.part.device}: its own memory, until power-off")
        say("plan", f"load {what}")
        return
    say_where(f"{plan.board.name}", f"{plan.part.device}: the flash that it loads from")
    if plan.load.is_read_back:
        blocks = "1 block" if plan.blocks == 1 else f"{plan.blocks} blocks"
        say("plan", f"erase {blocks} of 64 KiB from 0x0, write {what}, read them back")
    else:
        say("plan", f"erase it, write {what}")


def _say_result(plan: "FpgaPlan", watch: Stopwatch) -> None:
    if not plan.load.is_for_flash:
        say("loaded", watch.words(plan.octets))
        say("verified", "by the FPGA: IDCODE and CRC of the bitstream hold")
        return
    say("written", watch.words(plan.octets))
    if plan.load.is_read_back:
        say("verified", f"{plan.octets:,} octets read back")
    else:
        say("verified", "by the FPGA alone: openFPGALoader reads no flash of this family back")
