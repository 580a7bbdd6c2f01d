# SPDX-License-Identifier: Apache-2.0
"""`litex_term`, which is not ours, loads a slot of the compute node's twin over its pty."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from twin_bench import wait_until

from fw_tools.board import ClientOptions, PayloadClient
from fw_tools.board.description import LinkDescription, load_description
from fw_tools.board.slots import next_slot, read_slots
from fw_tools.board.twin import PortKind, Twin, TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.pus.slots import Image, ImageKind, build_image_file, build_records

LITEX_TERM = Path(sys.executable).parent / "litex_term"
SLOT_OCTETS = 512 * 1024
IMAGE_OCTETS = 2048  # Some 40 frames; each has to come back before the next.
LONGEST_S = 120.0  # On a machine that is busy with other things.
SEED = 1
# On a busy machine a calibration may have ended when its refusal comes; litex_term gives up then.
MOST_TRIES = 5


class Node(NamedTuple):
    """A twin whose flash is a file, and a folder for files."""

    twin: Twin
    description: LinkDescription
    folder: Path

    def offer(self) -> None:
        """Reset it with the boot select pin high."""
        self.twin.set_boot_select(True)
        self.twin.reset()

    def client(self) -> PayloadClient:
        options = ClientOptions(timeout_s=10.0)
        baud = self.twin.baud
        return PayloadClient.open(self.twin.url, self.description, baud=baud, options=options)

    def image(self, octets: int = IMAGE_OCTETS, identity: int | None = None) -> Path:
        """Return the file of an image that begins the weight buffer and sets a register."""
        data = random.Random(SEED).randbytes(octets)
        image = Image(
            octets=build_records({4: 0x99}, [(1, 0, data)]),
            kind=ImageKind.RECORDS,
            identity=int(self.description.rtl_digest, 16) if identity is None else identity,
        )
        path = self.folder / "boot.img"
        path.write_bytes(build_image_file(image))
        return path


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    design = twin_design(repository / "examples/compute_node/payload.toml", baud_divisor=8)
    assert design.link
    options = TwinOptions(
        port=PortKind.PTY, link=tmp_path / "port", flash=tmp_path / "flash.bin", flash_time=0.1
    )
    with running_twin(design, options) as twin:
        yield Node(twin, load_description(design.link), tmp_path)


class Term:
    """A running `litex_term`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def told(self) -> str:
        return self._log.read_text(encoding="latin-1")

    def wait_for(self, *texts: str) -> None:
        end = time.monotonic() + LONGEST_S
        while not (found := any(text in self.told() for text in texts)) and time.monotonic() < end:
            time.sleep(0.02)
        assert found, self.told()[-500:]


def _has_open(process: subprocess.Popen[bytes], port: str) -> bool:
    folder = Path(f"/proc/{process.pid}/fd")
    return Path(port).resolve() in {each.resolve() for each in folder.iterdir()}


@contextmanager
def litex_term(node: Node, image: Path, address: int, *options: str) -> Iterator[Term]:
    """Run it as at a terminal, which it needs."""
    ours, its = os.openpty()
    log = node.folder / "litex_term.log"
    command = [LITEX_TERM, node.twin.url, "--speed", str(node.twin.baud)]
    command += ["--kernel", image, "--kernel-adr", hex(address), *options]
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, stdin=its, stdout=stream, stderr=stream) as process,
    ):
        try:
            wait_until(lambda: _has_open(process, node.twin.url), "litex_term opens the port")
            yield Term(process, log)
        finally:
            process.kill()
    os.close(ours)
    os.close(its)


@pytest.mark.parametrize("options", [(), ("--safe",)])
def test_litex_term_loads_a_slot_that_is_booted(node: Node, options: tuple[str, ...]) -> None:
    """Its calibration, of zeros, is refused, so that it goes on with one frame at a time."""
    image = node.image()
    for _ in range(MOST_TRIES):
        with litex_term(node, image, SLOT_OCTETS, *options) as term:
            node.offer()
            term.wait_for("Done.", "unexpected response")
            if "Done." in term.told():
                break
    node.twin.set_boot_select(False)
    with node.client() as client:
        assert client.get("link.booted_slot") == 1
        assert client.get("control") == 0x99
        loaded = client.read_memory("weight_buffer", 0, IMAGE_OCTETS)
        assert loaded == image.read_bytes()[-IMAGE_OCTETS:]
        slots = read_slots(client)
        assert [(slot.number, slot.header.sequence) for slot in slots if slot.header] == [(1, 1)]
        assert next_slot(slots) == 2


def test_what_is_no_image_of_this_payload_is_refused(node: Node) -> None:
    """A text file, an address behind the flash, another gateware; the golden one boots as ever."""
    text = node.folder / "text.bin"
    text.write_text("no image\n" * 100)
    for image, address, said in (
        (text, SLOT_OCTETS, "unexpected response"),
        (node.image(64), 0x4000_0000, "unexpected response"),
        (node.image(64, identity=1), SLOT_OCTETS, "unknown reply 'b'E''"),
    ):
        with litex_term(node, image, address, "--safe") as term:
            node.offer()
            term.wait_for(said)
    node.twin.set_boot_select(False)
    node.twin.reset()
    with node.client() as client:
        assert client.get("link.booted_slot") == 0xFF
        assert not any(slot.header for slot in read_slots(client))


def test_a_cable_pulled_amid_a_load_leaves_nothing_that_boots(node: Node) -> None:
    """After a reset the payload answers; the slot that was begun has no header."""
    image = node.image()
    with litex_term(node, image, SLOT_OCTETS, "--safe") as term:
        node.offer()
        term.wait_for("50%")
    node.twin.set_boot_select(False)
    node.twin.reset()
    with node.client() as client:
        assert client.get("link.booted_slot") == 0xFF
        assert not any(slot.header for slot in read_slots(client))
