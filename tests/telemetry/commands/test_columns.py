# SPDX-License-Identifier: Apache-2.0
"""`--columns` with what stands beside a value, and with columns that there are not."""

import pytest

import telemetry
from telemetry.errors import UsageError
from telemetry.ops.options import Options

DEFINITION = "mission.py:HOUSEKEEPING"


@pytest.fixture
def dump(tmp_path, housekeeping_of):
    run = [housekeeping_of(index, 2800 + index) for index in range(3)]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    return "d.bin"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("volts.valid", "beside volts there is volts.engineering, volts.state"),
        ("flags.mode.engineering", "beside flags.mode there is nothing"),
        ("nope", "there are packet_version, packet_type"),
        ("volt.engineering", "did you mean volts.engineering?"),
    ],
)
def test_a_column_that_no_packet_has_is_a_wrong_argument(call, mission, dump, wanted, told):
    done = call("decode", dump, "--definition", DEFINITION, "--columns", wanted, "-o", "o.csv")
    assert done.returncode == 2
    assert done.stderr.startswith(f"--columns {wanted}: no such column; ")
    assert told in done.stderr
    assert "volts.valid" not in done.stderr.partition(";")[2]  # There is no such column.


@pytest.mark.parametrize("wanted", ["volts.engineering", "volts.state"])
def test_what_stands_beside_a_value_can_be_asked_for(call, mission, dump, tmp_path, wanted):
    done = call("decode", dump, "--definition", DEFINITION, "--columns", wanted, "-o", "o.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.csv").read_text().splitlines()[0] == wanted
    assert call("stats", dump, "--definition", DEFINITION, "--columns", wanted).returncode == 0


@pytest.mark.parametrize("where", [("-o", "o.csv"), ()])
def test_a_column_that_packets_turn_out_not_to_have_is_told(call, tmp_path, mission, dump, where):
    """Of a function in a definition nobody knows beforehand which columns it gives."""
    (tmp_path / "late.py").write_text(
        "from construct import *\n"
        "PACKET = Struct('body' / Bytes(4), 'x' / Computed(lambda this: len(this.body)),"
        " 'packet_error_control' / Int16ub)\n"
    )
    done = call("decode", dump, "--definition", "late.py:PACKET", "--columns", "nope", *where)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--columns nope: no packet has such a column\n"
    assert not (tmp_path / "o.csv").exists()


def test_an_element_and_a_value_beside_select_their_column_in_python(make_packet):
    import construct as c

    layout = c.Struct(
        "volts" / telemetry.field(c.Int8ub, calibration=(0, 0.5)), "rails" / c.Array(2, c.Int8ub)
    )
    stream = make_packet(5, 0, b"\x04\x07\x09", crc=False)
    for wanted, column in (("volts.engineering", "volts"), ("rails[1]", "rails[1]")):
        decoded = telemetry.decode(stream, {5: layout}, options=Options(columns=(wanted,)))
        assert list(decoded.table().columns) == [column]
    with pytest.raises(UsageError, match=r"--columns volts\.state: no such column; beside volts"):
        telemetry.decode(stream, {5: layout}, options=Options(columns=("volts.state",)))
