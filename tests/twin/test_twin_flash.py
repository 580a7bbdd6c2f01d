# SPDX-License-Identifier: Apache-2.0
"""The twin's flash, bit by bit through the payload's pins, against the data sheet of W25Q32JV."""

from pathlib import Path
from typing import Any

import pytest
from twin_bench import CLOCK_HZ, OpenClient, StartTwin, stand_in, wait_until

from fw_tools.board.twin import PortKind, Twin, TwinOptions, running_twin
from fw_tools.errors import InputError

OCTETS = 4 << 20
WRITE_ENABLE, READ_STATUS, PAGE_PROGRAM, READ = b"\x06", b"\x05", b"\x02", b"\x03"
BUSY, WRITE_ENABLED = 1, 2
# 9.6 AC electrical characteristics, typical.
PAGE_PROGRAM_S, SECTOR_ERASE_S, BLOCK_ERASE_S = 0.4e-3, 45e-3, 150e-3


class Flash:
    """Commands to the flash, as a payload gives them."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def exchange(self, octets: bytes, answers: int = 0, extra_bits: int = 0) -> bytes:
        """Send octets within one chip select; return what came with `answers` more."""
        sent = octets + bytes(answers)
        words = b"C\x00" + b"".join(b"O" + bytes([octet]) for octet in sent)
        self._client.write(words + b"B\x00" * extra_bits + b"C\x01")
        got: bytes = self._client.read(len(sent))
        assert len(got) == len(sent)
        return got[len(octets) :]

    def status(self) -> int:
        return self.exchange(READ_STATUS, 1)[0]

    def wait(self) -> None:
        wait_until(lambda: not self.status() & BUSY, "the flash")

    def read(self, address: int, count: int) -> bytes:
        return self.exchange(READ + address.to_bytes(3, "big"), count)

    def begin(self, command: int, address: int, data: bytes = b"", **more: int) -> None:
        self.exchange(WRITE_ENABLE)
        self.exchange(bytes([command]) + address.to_bytes(3, "big") + data, **more)

    def program(self, address: int, data: bytes) -> None:
        self.begin(0x02, address, data)
        self.wait()

    def erase(self, command: int, address: int) -> None:
        self.begin(command, address)
        self.wait()


@pytest.fixture
def open_flash(start_twin: StartTwin, open_client: OpenClient) -> Any:
    def open_(**options: Any) -> tuple[Flash, Twin]:
        twin = start_twin("pins_twin", port=PortKind.TCP, **options)
        return Flash(open_client(twin)), twin

    return open_


def test_it_names_itself(open_flash: Any) -> None:
    flash, _ = open_flash()
    assert flash.exchange(b"\x9f", 3) == b"\xef\x40\x16"  # 8.1.1: Winbond, W25Q32JV-IQ.
    assert flash.exchange(b"\x90\x00\x00\x00", 2) == b"\xef\x15"
    assert flash.exchange(b"\xab\x00\x00\x00", 1) == b"\x15"


def test_programming_only_clears_bits(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=0)
    assert flash.read(0x1000, 4) == b"\xff\xff\xff\xff"
    flash.program(0x1000, b"\xf0\x0f\xaa")
    flash.program(0x1000, b"\x3c\xff\x0f")
    assert flash.read(0x1000, 4) == b"\x30\x0f\x0a\xff"


@pytest.mark.parametrize(("value", "erased", "programmed"), [(0, 0xBF, 0x00), (1, 0xFF, 0x40)])
def test_a_stuck_bit_is_what_it_is_whatever_is_written(
    open_flash: Any, value: int, erased: int, programmed: int
) -> None:
    flash, twin = open_flash(flash_time=0)
    twin.stick_flash_bit(0x1001, 6, value)
    flash.erase(0x20, 0x1000)
    assert flash.read(0x1000, 3) == bytes([0xFF, erased, 0xFF])
    flash.program(0x1000, bytes(3))
    assert flash.read(0x1000, 3) == bytes([0, programmed, 0])


def test_a_page_program_wraps_within_its_page(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=0)
    flash.program(0x20FE, b"abcd")
    assert flash.read(0x20FE, 4) == b"ab\xff\xff"
    assert flash.read(0x2000, 3) == b"cd\xff"


def test_of_more_than_a_page_the_last_octets_count(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=0)
    flash.program(0, b"\x00" + bytes([0x55] * 255) + b"\x77")
    assert flash.read(0, 2) == b"\x77\x55"


def test_nothing_changes_without_write_enable(open_flash: Any) -> None:
    flash, twin = open_flash(flash_time=0)
    flash.exchange(PAGE_PROGRAM + b"\x00\x00\x00\x00")
    assert flash.read(0, 1) == b"\xff"
    flash.exchange(WRITE_ENABLE)
    assert flash.status() == WRITE_ENABLED
    flash.exchange(b"\x04")
    assert flash.status() == 0
    assert twin.statistics()["flash_refused"] == 1


def test_write_enable_holds_for_one_operation(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=0)
    flash.program(0, b"\x00")
    flash.exchange(PAGE_PROGRAM + b"\x00\x00\x01\x00")
    assert flash.read(0, 2) == b"\x00\xff"


def test_a_command_that_ends_within_an_octet_is_not_carried_out(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=0)
    flash.begin(0x02, 0, b"\x00", extra_bits=1)
    assert flash.read(0, 1) == b"\xff"
    assert flash.status() == WRITE_ENABLED


@pytest.mark.parametrize(("command", "size"), [(0x20, 0x1000), (0x52, 0x8000), (0xD8, 0x10000)])
def test_an_erase_takes_the_whole_of_its_block_and_no_more(
    open_flash: Any, tmp_path: Path, command: int, size: int
) -> None:
    image = tmp_path / "flash.bin"
    image.write_bytes(bytes(OCTETS))
    flash, _ = open_flash(flash_time=0, flash=image)
    flash.erase(command, 3 * size + 5)
    expected = bytearray(OCTETS)
    expected[3 * size : 4 * size] = b"\xff" * size
    assert image.read_bytes() == expected


@pytest.mark.parametrize("command", [0xC7, 0x60])
def test_a_chip_erase_takes_everything(open_flash: Any, tmp_path: Path, command: int) -> None:
    image = tmp_path / "flash.bin"
    image.write_bytes(bytes(OCTETS))
    flash, _ = open_flash(flash_time=0, flash=image)
    flash.exchange(WRITE_ENABLE)
    flash.exchange(bytes([command]))
    flash.wait()
    assert image.read_bytes() == b"\xff" * OCTETS


def test_reads_go_on_over_the_end_and_fast_read_waits_an_octet(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=0)
    flash.program(0, b"\x12")
    flash.program(OCTETS - 1, b"\x34")
    assert flash.read(OCTETS - 1, 2) == b"\x34\x12"
    assert flash.exchange(b"\x0b\x00\x00\x00\x00", 1) == b"\x12"


def test_while_busy_only_the_status_answers(open_flash: Any) -> None:
    flash, _ = open_flash(flash_time=10)
    flash.program(0x5000, b"\x42")
    flash.begin(0x20, 0)  # 450 ms of the payload's time.
    assert flash.status() == BUSY | WRITE_ENABLED
    assert flash.read(0x5000, 1) == b"\xff"
    flash.wait()
    assert flash.read(0x5000, 1) == b"\x42"


@pytest.mark.parametrize(
    ("command", "data", "seconds"),
    [(0x02, b"\x00", PAGE_PROGRAM_S), (0x20, b"", SECTOR_ERASE_S), (0xD8, b"", BLOCK_ERASE_S)],
)
def test_busy_lasts_as_long_as_the_data_sheet_says(
    open_flash: Any, command: int, data: bytes, seconds: float
) -> None:
    flash, twin = open_flash(flash_time=10)
    busy = 10 * seconds * CLOCK_HZ
    before = twin.statistics()["cycles"]
    flash.begin(command, 0, data)
    begun = twin.statistics()["cycles"]
    asked = begun
    while flash.status() & BUSY:
        assert asked - begun <= busy
        asked = twin.statistics()["cycles"]
    assert twin.statistics()["cycles"] - before >= busy


def test_the_file_keeps_what_was_written(open_client: OpenClient, tmp_path: Path) -> None:
    image = tmp_path / "flash.bin"
    image.write_bytes(b"an image, short")
    options = TwinOptions(flash=image, flash_time=0)
    with running_twin(stand_in("pins_twin"), options) as twin:
        flash = Flash(open_client(twin))
        assert flash.read(0, 16) == b"an image, short\xff"
        flash.program(0x100, b"kept")
        with (
            pytest.raises(InputError, match=r"flash\.bin: in use by another twin"),
            running_twin(stand_in("pins_twin"), options),
        ):
            pass
    with running_twin(stand_in("pins_twin"), options) as twin:
        assert Flash(open_client(twin)).read(0x100, 5) == b"kept\xff"
    assert image.stat().st_size == OCTETS


def test_a_file_that_is_no_flash_is_named(start_twin: StartTwin, tmp_path: Path) -> None:
    image = tmp_path / "flash.bin"
    image.write_bytes(bytes(OCTETS + 1))
    with pytest.raises(InputError, match=r"flash\.bin: longer than the flash"):
        start_twin("pins_twin", flash=image)
    with pytest.raises(InputError, match=r"none/flash\.bin: No such file"):
        start_twin("pins_twin", flash=tmp_path / "none" / "flash.bin")


def cut_power_in(flash: Flash, twin: Twin) -> None:
    assert flash.status() & BUSY
    twin.power_cycle()
    wait_until(lambda: twin.statistics()["flash_interrupted"] == 1, "the power cut")
    assert flash.status() == 0


def test_a_program_cut_short_has_cleared_some_of_its_bits(open_flash: Any, tmp_path: Path) -> None:
    image = tmp_path / "flash.bin"
    flash, twin = open_flash(flash=image, flash_time=1000)  # 400 ms.
    flash.begin(0x02, 0x300, bytes([0x0F] * 256))
    cut_power_in(flash, twin)
    page = image.read_bytes()[0x300:0x400]
    assert all(octet & 0x0F == 0x0F for octet in page)
    cleared = sum(8 - octet.bit_count() for octet in page)
    assert 0 < cleared < 4 * 256
    assert image.read_bytes().count(b"\xff") >= OCTETS - 256


def test_an_erase_cut_short_leaves_neither_the_old_nor_erased(
    open_flash: Any, tmp_path: Path
) -> None:
    image = tmp_path / "flash.bin"
    image.write_bytes(bytes([0x5A]) * OCTETS)
    flash, twin = open_flash(flash=image, flash_time=20)  # 900 ms.
    flash.begin(0x20, 0x4000)
    cut_power_in(flash, twin)
    after = image.read_bytes()
    sector = after[0x4000:0x5000]
    assert sector != b"\xff" * 0x1000
    assert sector != b"\x5a" * 0x1000
    assert after[:0x4000] == b"\x5a" * 0x4000
    assert after[0x5000:] == b"\x5a" * (OCTETS - 0x5000)
    flash.erase(0x20, 0x4000)
    assert flash.read(0x4FFE, 3) == b"\xff\xff\x5a"
