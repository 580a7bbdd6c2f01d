# SPDX-License-Identifier: Apache-2.0
"""What is read packet by packet is said once, in words, with what would be faster."""

import json

import pytest

MISSION = """
from construct import *

FAST = Struct("n" / Int16ub)
SOME = Struct("n" / Int16ub, "twice" / Computed(lambda c: 2 * c.n), "t" / CString("ascii"))
HOOKED = Byte * (lambda value, c: None)
WHOLE = Struct("n" / Int64ub, "m" / HOOKED, "k" / Byte, "y" / Computed(this.n * 2))
AT = Struct("n" / Struct("k" / Byte), "at" / Computed(lambda c: c.n._io.tell()))
PACKETS = {5: FAST, 6: SOME, 7: WHOLE, 8: AT}
"""
SOME = (
    "  Slow: PACKETS[6]: 2 fields are read packet by packet, the others many at a time\n"
    "    PACKETS[6].twice: a Python function; "
    "faster: an expression, as this.n * 2 for lambda c: c.n * 2\n"
    "    PACKETS[6].t: StringEncoded, which is construct's own to parse; "
    "faster: Bytes(n), which shows text in hexadecimal\n"
)
WHOLE = (
    "  Slow: PACKETS[7]: packets are parsed one by one, because of 2 fields\n"
    "    PACKETS[7].m: a function that is called when the field is parsed\n"
    "    PACKETS[7].y: arithmetic that can leave 64 bits; "
    "faster: narrower fields, or a mask, as this.n & 0xffffffff\n"
)
AT = (
    "  Slow: PACKETS[8]: packets are parsed one by one, because of 1 field\n"
    "    PACKETS[8].at: a Python function; "
    "faster: an expression, as this.n * 2 for lambda c: c.n * 2\n"
    "    PACKETS[8].at: a function that asks for n._io\n"
)
DATA = {5: b"\0\1", 6: b"\0\1hi\0", 7: bytes(7) + b"\1\5\6", 8: b"\2"}
COMMANDS = {
    "decode": ("decode", "-o", "out.csv", "--summary", "out.json"),
    "stats": ("stats", "--json", "out.json"),
    "report": ("report", "-o", "out.html"),
    "plot": ("plot", "n", "-o", "out.html"),
}


@pytest.fixture
def read(call, tmp_path, make_packet):
    """Run a command over ten packets of each of these APIDs."""
    (tmp_path / "slow.py").write_text(MISSION)

    def run(name, apids, *options):
        packets = [make_packet(a, i, DATA[a], crc=False) for i in range(10) for a in apids]
        (tmp_path / "d.bin").write_bytes(b"".join(packets))
        command, *rest = COMMANDS[name]
        done = call(command, "d.bin", "--definition", "slow.py:PACKETS", *rest, *options)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_is_slow_and_what_would_be_faster(read, name, processes):
    told = read(name, [5, 6, 7, 8], "--processes", processes).stderr
    assert SOME + WHOLE + AT in told
    assert told.count("Slow:") == 3


@pytest.mark.parametrize("name", COMMANDS)
def test_what_did_not_come_is_not_told(read, name):
    assert "Slow" not in read(name, [5]).stderr
    told = read(name, [5, 6]).stderr
    assert SOME in told
    assert told.count("Slow:") == 1


@pytest.mark.parametrize("name", ["decode", "stats"])
def test_the_same_is_in_the_summary_for_programs(read, name, tmp_path):
    read(name, [5, 7])
    assert json.loads((tmp_path / "out.json").read_text())["slow"] == [
        {
            "definition": "PACKETS[7]",
            "whole_packets": True,
            "fields": [
                {
                    "path": "PACKETS[7].m",
                    "reason": "a function that is called when the field is parsed",
                    "faster": "",
                },
                {
                    "path": "PACKETS[7].y",
                    "reason": "arithmetic that can leave 64 bits",
                    "faster": "narrower fields, or a mask, as this.n & 0xffffffff",
                },
            ],
        }
    ]
