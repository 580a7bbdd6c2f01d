# SPDX-License-Identifier: Apache-2.0
"""`litex_term`, which is not ours, loads a slot of the compute node's twin over its pty."""

import os
import random
import subprocess
import sys
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
from fw_tools.errors import LinkError
from fw_tools.pus.slots import Image, ImageKind, build_image_file, build_records

LITEX_TERM = Path(sys.executable).parent / "litex_term"
SLOT_OCTETS = 512 * 1024
BUFFER_OCTETS = 8192
SEED = 1


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
        options = ClientOptions(timeout_s=5.0)
        return PayloadClient.open(self.twin.url, self.description, options=options)

    def image(self, octets: int = BUFFER_OCTETS, identity: int | None = None) -> Path:
        """Return the file of an image that fills the weight buffer and sets a register."""
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
    design = twin_design(repository / "examples/compute_node/payload.toml")
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

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def told(self) -> str:
        return self._log.read_text(encoding="latin-1")

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.told() or self.has_ended(), text)
        assert text in self.told(), self.told()[-500:]


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
    with litex_term(node, image, SLOT_OCTETS, *options) as term:
        node.offer()
        term.wait_for("Done.")
        assert ("switching to --safe mode" in term.told()) == (not options)
    node.twin.set_boot_select(False)
    with node.client() as client:
        assert client.get("link.booted_slot") == 1
        assert client.get("control") == 0x99
        assert client.read_memory("weight_buffer") == image.read_bytes()[-BUFFER_OCTETS:]
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


def test_a_cable_pulled_amid_a_load_leaves_a_payload_that_answers(node: Node) -> None:
    """The slot that was begun does not boot; a reset is not needed, nor a second cable."""
    image = node.image()
    with litex_term(node, image, SLOT_OCTETS, "--safe") as term:
        node.offer()
        term.wait_for("50%")
    node.twin.set_boot_select(False)
    with node.client() as client:
        wait_until(lambda: _answers(client), "the line comes back by itself")
        assert client.get("link.booted_slot") == 0xFF
        assert not any(slot.header for slot in read_slots(client))


def _answers(client: PayloadClient) -> bool:
    try:
        client.ping()
    except LinkError:
        return False
    return True
