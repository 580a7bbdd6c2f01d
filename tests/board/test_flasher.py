# SPDX-License-Identifier: Apache-2.0
"""Images into boot slots of a twin over its link: written, cut off, resumed, refused, booted."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import load_description
from fw_tools.board.exchange import CommandFailedError
from fw_tools.board.flasher import Flasher
from fw_tools.board.slots import boot, next_sequence, next_slot, read_slots, slot_layout
from fw_tools.board.twin import Twin, TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.board.twin_faults import load_faults
from fw_tools.cli.main import fw_tools
from fw_tools.errors import ExitCode, UsageError
from fw_tools.pus.slots import Image, ImageKind, build_image_file, build_records
from telemetry.common.command import run

BUFFER_OCTETS = 8192
BLOCK = 0x10000
CUTS = 3
PATIENT = ClientOptions(timeout_s=3.0)  # The machine may be busy.


class Flashed(NamedTuple):
    """A twin of the compute node whose flash is a file, and a client of it."""

    twin: Twin
    client: PayloadClient
    file: Path

    def flasher(self, slot: int, image: Image, show: object = None) -> Flasher:
        shown = show or (lambda *_: None)
        return Flasher(self.client, slot_layout(self.client), slot, image, shown)  # type: ignore[arg-type]

    def image(self, octets: int = BUFFER_OCTETS, seed: int = 1) -> Image:
        """Return an image that fills the weight buffer several times over, and sets a register."""
        data = random.Random(seed).randbytes(octets)
        pieces = [data[at : at + BUFFER_OCTETS] for at in range(0, octets, BUFFER_OCTETS)]
        records = build_records({4: 0x99}, [(1, 0, piece) for piece in pieces])
        identity = int(self.client.description.rtl_digest, 16)
        return Image(octets=records, kind=ImageKind.RECORDS, identity=identity)

    def put(self, slot: int, image: Image) -> None:
        flasher = self.flasher(slot, image)
        flasher.carry_out(flasher.plan(), next_sequence(read_slots(self.client)))


@contextmanager
def flashed(repository: Path, folder: Path, **options: Any) -> Iterator[Flashed]:
    design = twin_design(repository / "examples/compute_node/payload.toml", baud_divisor=8)
    assert design.link
    file = folder / "flash.bin"
    with (
        running_twin(design, TwinOptions(flash=file, flash_time=0.1, **options)) as twin,
        PayloadClient.open(twin.url, load_description(design.link), options=PATIENT) as client,
    ):
        client.set_housekeeping(is_enabled=False)
        yield Flashed(twin, client, file)


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Flashed]:
    with flashed(repository, tmp_path) as node:
        yield node


def test_an_image_is_booted_and_does_what_it_says(node: Flashed) -> None:
    image = node.image()
    assert node.client.get("link.booted_slot") == 0xFF
    node.put(1, image)
    booted = boot(node.client)
    assert (booted.slot, booted.refused) == (1, ())
    assert node.client.get("control") == 0x99
    assert node.client.read_memory("weight_buffer") == image.octets[-BUFFER_OCTETS:]
    slots = read_slots(node.client)
    assert [slot.number for slot in slots if slot.header] == [1]
    assert (next_slot(slots), next_sequence(slots)) == (2, 2)


def test_what_was_cut_off_goes_on_and_nothing_unfinished_is_booted(node: Flashed) -> None:
    """After each cut at most one erase block is sent again; the older image boots meanwhile."""
    old, new = node.image(seed=2), node.image(9 * BUFFER_OCTETS, seed=3)
    node.put(1, old)
    node.put(2, node.image(9 * BUFFER_OCTETS, seed=4))  # What the new one takes the place of.
    rng = random.Random(5)
    missing, cut_at, sent = len(new.octets), 0, 0

    def cut(step: str, done: int, total: int) -> None:
        nonlocal sent
        if step == "write":
            sent = done
            if done >= cut_at:
                raise KeyboardInterrupt

    for _ in range(CUTS):
        flasher = node.flasher(2, new, cut)
        plan = flasher.plan()
        assert plan.octets <= missing
        cut_at = rng.randrange(1, plan.octets)
        with pytest.raises(KeyboardInterrupt):
            flasher.carry_out(plan, 9)
        missing = min(plan.octets - sent + BLOCK, plan.octets)
        assert boot(node.client).slot == 1
        assert node.client.read_memory("weight_buffer") == old.octets[-BUFFER_OCTETS:]
    plan = node.flasher(2, new).plan()
    assert plan.octets <= missing
    node.flasher(2, new).carry_out(plan, 9)
    assert boot(node.client).slot == 2
    assert node.client.read_memory("weight_buffer") == new.octets[-BUFFER_OCTETS:]
    assert node.flasher(2, new).plan().octets == 0


def test_the_golden_slot_is_open_with_the_boot_select_pin_alone(node: Flashed) -> None:
    image = node.image(seed=6)
    with pytest.raises(CommandFailedError, match="golden slot, which the boot select pin alone"):
        node.put(0, image)
    node.twin.set_boot_select(True)
    node.put(0, image)
    node.put(3, node.image(seed=7))
    assert boot(node.client).slot == 0
    node.twin.set_boot_select(False)
    assert boot(node.client).slot == 3


@pytest.mark.parametrize("value", [0, 1])
def test_a_bit_that_sticks_is_found_with_its_place(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: int
) -> None:
    """The slot is left without a header; another one takes the image."""
    link, place = repository / "examples/compute_node/generated/link.json", 4321
    slot = load_description(link).slot_octets
    faults, image = tmp_path / "faults.toml", tmp_path / "boot.img"
    faults.write_text(
        f'[[event]]\nat = "0us"\ndo = "stuck"\naddress = {slot + place}\nbit = 4\nvalue = {value}\n'
    )
    with flashed(repository, tmp_path, faults=load_faults(faults, 40_000_000, ())) as node:
        wanted = bytearray(node.image(seed=8).octets)
        wanted[place] = wanted[place] & ~0x10 | (1 - value) << 4  # What it cannot hold.
        made = replace(node.image(), octets=bytes(wanted))
        image.write_bytes(build_image_file(made))
        node.client.close()
        board = ("--board", str(link), "--port", node.twin.url, "--timeout", "3")
        assert run(fw_tools, "fw-tools", ("flash", str(image), *board)) == ExitCode.VERIFICATION
        told = capsys.readouterr().err
        assert (
            f"the flash holds {wanted[place] ^ 0x10:#04x} at {slot + place:#x}, which was to be "
            f"{wanted[place]:#04x}. Flash it again; if the place stays the same, the chip is worn"
        ) in " ".join(told.split())
        with PayloadClient.open(node.twin.url, load_description(link), options=PATIENT) as client:
            assert read_slots(client)[1].header is None
            assert boot(client).slot is None
        other = ("flash", str(image), "--slot", "2", *board)
        assert run(fw_tools, "fw-tools", other) == ExitCode.DONE


def test_an_image_that_does_not_fit_is_refused(node: Flashed) -> None:
    with pytest.raises(UsageError, match=r"a slot holds 520,192"):
        node.flasher(1, Image(octets=bytes(520_193), kind=ImageKind.RECORDS, identity=1))
    with pytest.raises(UsageError, match=r"slot 8; the flash has 0 \(golden\) to 7"):
        node.flasher(8, node.image())


def test_the_command_flashes_verifies_and_refuses(
    node: Flashed, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node.client.close()
    link = repository / "examples/compute_node/generated/link.json"
    weights, image = tmp_path / "weights.bin", tmp_path / "boot.img"
    weights.write_bytes(random.Random(9).randbytes(1024))
    load = f"weight_buffer@0x400={weights}"
    made = ("image", str(link), "--load", load, "--set", "control=0x69", "-o", str(image))
    assert run(fw_tools, "fw-tools", made) == ExitCode.DONE
    board = ("--board", str(link), "--port", node.twin.url, "--timeout", "3")

    def flash(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(fw_tools, "fw-tools", ("flash", *arguments, *board))
        told = capsys.readouterr()
        return code, told.out + told.err

    assert flash(str(image), "--dry-run")[0] == ExitCode.DONE
    code, told = flash(str(image))
    assert code == ExitCode.DONE
    assert "slot 1 of 8: empty" in told
    assert "booted     slot 1" in told
    assert flash(str(image), "--slot", "1", "--verify-only")[0] == ExitCode.DONE
    code, told = flash(str(image), "--slot", "2", "--verify-only")
    assert code == ExitCode.VERIFICATION
    assert "the flash holds 0xff at 0x100000" in told
    code, told = flash(str(weights))
    assert (code, "does not begin with FWS1" in told) == (ExitCode.INPUT, True)
    octets = image.read_bytes()
    image.write_bytes(octets[:-1])
    code, told = flash(str(image))
    assert (code, "its header says 1036" not in told) == (ExitCode.INPUT, True)
    foreign = Image(octets=octets[64:], kind=ImageKind.RECORDS, identity=7)
    image.write_bytes(build_image_file(foreign))
    code, told = flash(str(image))
    assert (code, "made for gateware 0000000000000007" in told) == (ExitCode.INPUT, True)


def test_answers_of_every_length_come_whole(node: Flashed) -> None:
    """A frame's last block of 254 octets may end where the packet does: that of one length here."""
    for octets in range(240, 260):
        assert node.client.read_memory("flash", 0x3F0000, octets) == b"\xff" * octets
    assert node.client.link.frames_dropped == 0


def without_figures(text: str) -> list[str]:
    """Return the lines without digests, ports and what depends on the moment of the cut."""
    return [re.sub(r"\b[0-9a-f]{16}\b|[\d,.]*\d", "#", line) for line in text.splitlines()]


def test_the_demo_goes_on_after_a_cut_as_the_readme_shows(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, repository / "examples" / "flash_demo.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    readme = (repository / "README.md").read_text()
    (shown,) = re.findall(r"^```\n(\$ fw-tools image .*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert without_figures(done.stdout) == without_figures(shown)
