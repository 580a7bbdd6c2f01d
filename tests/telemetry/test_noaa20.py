# SPDX-License-Identifier: Apache-2.0
"""A real dump: NOAA-20 geolocation packets against what space_packet_parser read from them."""

import json

import pytest

import telemetry

RENAMED = {
    "VERSION": "packet_version",
    "TYPE": "packet_type",
    "SEC_HDR_FLG": "secondary_header_flag",
    "PKT_APID": "apid",
    "SEQ_FLGS": "sequence_flags",
    "SRC_SEQ_CTR": "sequence_count",
    "PKT_LEN": "data_length",
}


@pytest.mark.outside_data
def test_all_7200_packets_decode_to_the_values_of_another_decoder(test_data, repository, tmp_path):
    folder = test_data / "jpss_geolocation"
    (dump,) = folder.glob("*.DAT1")
    source = f"{repository}/examples/noaa20_geolocation.py:PACKET"
    rows = telemetry.decode(dump, source).rows(11)
    assert len(rows) == 7200
    expected = json.loads((folder / "expected_every10.json").read_text())["records"]
    assert len(expected) == 720
    for record in expected:
        index = record.pop("_i")
        wanted = {RENAMED.get(name, name): value for name, value in record.items()}
        assert rows[index] == {**wanted, "crc_verdict": "none"}


@pytest.mark.outside_data
def test_the_command_decodes_the_dump_without_a_complaint(
    test_data, repository, run_telemetry, tmp_path
):
    (dump,) = (test_data / "jpss_geolocation").glob("*.DAT1")
    source = repository / "examples" / "noaa20_geolocation.py"
    output = tmp_path / "noaa20.csv"
    done = run_telemetry("decode", dump, "--definition", f"{source}:PACKET", "-o", output)
    assert done.returncode == 0, done.stderr
    assert "APID 11: 7,200 rows, no gap" in done.stderr
    lines = output.read_text().splitlines()
    assert len(lines) == 7201
    assert lines[0].split(",")[7:] == [
        "DOY", "MSEC", "USEC", "ADAESCID", "ADAET1DAY", "ADAET1MS", "ADAET1US",
        "ADGPSPOSX", "ADGPSPOSY", "ADGPSPOSZ", "ADGPSVELX", "ADGPSVELY", "ADGPSVELZ",
        "ADAET2DAY", "ADAET2MS", "ADAET2US", "ADCFAQ1", "ADCFAQ2", "ADCFAQ3", "ADCFAQ4",
        "crc_verdict",
    ]  # fmt: skip
