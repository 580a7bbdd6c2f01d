# SPDX-License-Identifier: Apache-2.0
"""The table of telecommands: which lengths each takes."""

import pytest

from fw_tools.pus.commands import COMMANDS
from fw_tools.pus.data_fields import TELECOMMANDS
from fw_tools.pus.failures import (
    AcceptanceFailure,
    ExecutionFailure,
    Failure,
    failure_text,
)

# Application data by hand, right as far as its length goes.
TAKEN = {
    (3, 5): ["00", "01 0001", "02 0001 0002"],
    (3, 6): ["01 0001"],
    (3, 27): ["01 0001"],
    (3, 31): ["00", "01 0001 000003e8", "02 0001 000003e8 0002 000003e8"],
    (5, 5): ["00", "01 0001", "10" + "0001" * 16, "11" + "0001" * 17],
    (5, 6): ["01 0001"],
    (6, 2): ["01 00", "01 01 00000000 0001 aa bbcc", "01 01 00000000 0000 ffff", "01 02 beef"],
    (6, 5): ["01 00", "01 01 00000000 0001", "01 02 00000000 0001 00000000 0001"],
    (6, 9): ["01 01 00000000 0001"],
    (6, 128): ["f0 00", "f0 01 00001000 00001000"],
    (6, 129): ["01 00", "01 01 00000000 00000001"],
    (8, 1): ["0001"],
    (9, 1): ["00", "ff"],
    (9, 128): ["2e 00000000 0000"],
    (17, 1): [""],
    (20, 1): ["00", "01 0000", "21" + "0000" * 33],
    (20, 3): ["00", "01 0000 00000000"],
}


@pytest.mark.parametrize("kind", list(COMMANDS))
def test_a_command_of_the_right_length_is_taken_and_one_octet_more_or_less_is_not(
    kind: tuple[int, int],
) -> None:
    for text in TAKEN[kind]:
        data = bytes.fromhex(text)
        assert COMMANDS[kind].takes(data), text
        if kind == (6, 2) and data[1] > 1:
            continue  # Fails for the number of areas, whatever its length.
        assert not COMMANDS[kind].takes(data + b"\0"), text
        assert not data or not COMMANDS[kind].takes(data[:-1]), text


def test_every_command_has_its_definition_and_no_definition_is_without_a_row() -> None:
    assert list(COMMANDS) == list(TELECOMMANDS)


def test_every_failure_code_has_words() -> None:
    for subtype, codes in ((2, AcceptanceFailure), (8, ExecutionFailure)):
        for code in codes:
            text = failure_text(subtype, Failure(code, 0xABCD))
            assert "failure code" not in text
            assert "{" not in text
    assert failure_text(8, Failure(999, 1)) == "failure code 999, value 0x1"
    assert "APID 67" in failure_text(10, Failure(1, 67))
