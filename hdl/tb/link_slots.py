# SPDX-License-Identifier: Apache-2.0
"""Boot slots of a payload: written as the ground would, booted beside the reference."""

from fw_tools.pus.loader import Loader
from fw_tools.pus.memories import FlashMemory
from fw_tools.pus.packets import with_crc
from fw_tools.pus.parameters import PlainRegister, PlainRegisters
from fw_tools.pus.slots import HEADER, ImageKind, build_header
from hdl.tb.link_payload import (
    CONFIG,
    LINK,
    OFFER_S,
    SHORT_SECOND,
    SLOTS,
    STRUCTURE,
    LinkBench,
    area,
    load,
    some_words,
)

WARM_BOOT_S = 0.1 * SHORT_SECOND  # In which an FPGA has to begin to load another bitstream.


async def boots_as_the_reference(bench: LinkBench, flash: FlashMemory) -> list[int]:
    """Let payload and reference boot what is in the flash, and compare all that it changes.

    Return the slots whose bitstream the reference asked for.
    """
    assert bench.flash is not None
    bench.flash.content[:] = flash.content
    machine = bench.expected.machine
    registers = {4: PlainRegister("rw", 0x69, is_refused=lambda value: bool(value & ~0xFF))}
    memories = {each["id"]: machine.memory(each["id"]) for each in CONFIG["memories"]}
    identities = {ImageKind.RECORDS: int(LINK["rtl_digest"], 16), ImageKind.BITSTREAM: 0}
    loader = Loader(
        layout=SLOTS,
        flash=flash,
        registers=PlainRegisters(registers | {0: PlainRegister("r")}),
        memories=memories,
        identities=identities,
        warm_boot_slots=bench.loadable,
    )
    before = {name: len(bench.events(name)) for name in ("slot_booted", "slot_refused")}
    for memory in CONFIG["memories"]:
        await bench.ask(6, 2, load(memory["id"], 0, some_words(memory, 6)))
        machine.memory(memory["id"]).content[:] = bytes(memory["octets"])  # As a reset leaves it.
    report = loader.boot(is_golden_wanted=flash.is_golden_open)
    await bench.exchange(bench.ground.command(8, 1, b"\0\5"))
    await bench.seconds(0.08 + OFFER_S + len(loader.warm_boots) * WARM_BOOT_S)
    await bench.ground.settle()
    told = {name: bench.events(name)[count:] for name, count in before.items()}
    wanted = {"slot_booted": report.booted, "slot_refused": report.refused}
    assert told == {name: [] if data is None else [data] for name, data in wanted.items()}
    for memory in CONFIG["memories"]:
        await bench.ask(6, 5, area(memory["id"], 0, 6 * memory["word_octets"]))
    assert await bench.parameter("control") == registers[4].value
    slot = 0xFF if report.booted is None else report.booted >> 16
    assert await bench.parameter("link.booted_slot") == slot
    await bench.ask(3, 6, b"\1" + STRUCTURE)
    assert bytes(bench.flash.content) == bytes(flash.content), "the marks of a bitstream"
    return loader.warm_boots


def put_slot(
    flash: FlashMemory,
    slot: int,
    image: bytes,
    kind: int,
    sequence: int,
    crc_error: int = 0,
    error: int = 0,
) -> None:
    """Write a slot as the ground would; one without an image is empty."""
    identity = int(LINK["rtl_digest"], 16) if kind == ImageKind.RECORDS else 0
    header = build_header(image, kind, sequence, identity ^ error) if image else b"\xff" * 32
    if crc_error:
        fields = HEADER.parse(header)
        fields.crc32 ^= crc_error
        header = with_crc(HEADER.build(fields)[:-2])
    for at, octets in ((SLOTS.image_at(slot), image), (SLOTS.header_at(slot), header)):
        flash.content[at : at + len(octets)] = octets
