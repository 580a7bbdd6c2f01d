# SPDX-License-Identifier: Apache-2.0
"""What Verilator says, as messages with their place."""

from fw_tools.sim.verilator import Message, parse_messages

# As Verilator 5.048 prints for a wrong module.
LOG = """\
%Warning-WIDTHTRUNC: /d/a.sv:7:14: Operator ASSIGNW expects 4 bits, but got 8.
                             : ... note: In instance 'a'
    7 |   assign b = c;
      |            ^
                     ... For warning description see https://verilator.org/warn/WIDTHTRUNC
%Error: /d/a.sv:9:1: syntax error, unexpected end
%Error-UNSUPPORTED: /d/a.sv:11:3: Unsupported: something
%Error: Cannot find file containing module: 'x'
%Error: Exiting due to 3 error(s)
"""


def test_each_message_has_kind_code_place_and_text() -> None:
    assert parse_messages(LOG) == (
        Message(False, "WIDTHTRUNC", "/d/a.sv", 7, "Operator ASSIGNW expects 4 bits, but got 8."),
        Message(True, "", "/d/a.sv", 9, "syntax error, unexpected end"),
        Message(True, "UNSUPPORTED", "/d/a.sv", 11, "Unsupported: something"),
        Message(True, "", "", 0, "Cannot find file containing module: 'x'"),
    )  # fmt: skip


def test_a_message_begins_with_its_place_and_ends_with_its_code() -> None:
    first, *_, last = map(str, parse_messages(LOG))
    assert first.startswith("/d/a.sv:7: Operator ASSIGNW")
    assert first.endswith("[WIDTHTRUNC]")
    assert last == "Cannot find file containing module: 'x'"
