# SPDX-License-Identifier: Apache-2.0
"""Time codes against the standard's fields, another library, and values worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacepackets.ccsds.time import CdsShortTimestamp

from telemetry.errors import InputError, UsageError
from telemetry.wire.calendar_codes import decode_ascii, decode_ccs
from telemetry.wire.time_codes import (
    cds_times,
    cuc_counts_elapsed,
    cuc_elapsed,
    cuc_times,
    decode_times,
    encode_cuc,
    rows,
)
from telemetry.wire.time_formats import CcsFormat, CdsFormat, CucFormat, parse_p_field
from telemetry.wire.time_scales import (
    CCSDS_EPOCH,
    GPS_EPOCH,
    J2000_EPOCH,
    LEAP_SECONDS,
    UNIX_EPOCH,
    Scale,
    Times,
    find_epoch,
    parse_leap_seconds,
)

TAI, UTC = Scale.TAI, Scale.UTC


def octets(*texts: str) -> np.ndarray:
    return np.array([list(bytes.fromhex(text)) for text in texts], np.uint8)


def same(times: Times, *texts: str) -> None:
    np.testing.assert_array_equal(times.at, np.array(texts, "M8[ns]"))


# --- P-fields -------------------------------------------------------------------------------------

# From the bit tables of 301.0-B-4, 3.2.2, 3.3.2 and 3.4.2, worked by hand.
P_FIELDS = [
    ("1c", CucFormat(coarse_octets=4, fine_octets=0)),
    ("1e", CucFormat(coarse_octets=4, fine_octets=2)),
    ("2e", CucFormat(coarse_octets=4, fine_octets=2, is_agency_epoch=True)),
    ("10", CucFormat(coarse_octets=1, fine_octets=0)),
    ("1f", CucFormat(coarse_octets=4, fine_octets=3)),
    ("9f 04", CucFormat(coarse_octets=4, fine_octets=4)),
    ("9c 60", CucFormat(coarse_octets=7, fine_octets=0)),
    ("9f 7c", CucFormat(coarse_octets=7, fine_octets=10)),
    ("40", CdsFormat()),
    ("41", CdsFormat(submillisecond_octets=2)),
    ("42", CdsFormat(submillisecond_octets=4)),
    ("44", CdsFormat(day_octets=3)),
    ("48", CdsFormat(is_agency_epoch=True)),
    ("50", CcsFormat()),
    ("5e", CcsFormat(is_day_of_year=True, subsecond_octets=6)),
]


@pytest.mark.parametrize(("text", "time_format"), P_FIELDS)
def test_p_fields_are_read_and_built(text, time_format):
    p_field = bytes.fromhex(text)
    assert time_format.p_field == p_field
    assert parse_p_field(p_field + b"\xff\xff") == (time_format, len(p_field))


# No code ID; the mission's own; a third octet; reserved resolutions; extensions that none defines.
@pytest.mark.parametrize("text", ["", "00", "60", "9e", "9e 80", "43", "c0 00", "57", "d0 00"])
def test_p_fields_of_no_known_format_are_none(text):
    assert parse_p_field(bytes.fromhex(text)) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: CucFormat(coarse_octets=0),
        lambda: CucFormat(coarse_octets=8),
        lambda: CucFormat(fine_octets=11),
        lambda: CdsFormat(day_octets=4),
        lambda: CdsFormat(submillisecond_octets=1),
        lambda: CcsFormat(subsecond_octets=7),
    ],
)
def test_formats_that_the_standard_does_not_have_are_refused(make):
    with pytest.raises(ValueError, match="has"):
        make()


# --- CUC ------------------------------------------------------------------------------------------


# 2017-01-01 UTC is 57,754 - 36,204 = 21,550 days after 1958-01-01 and 37 s later in TAI:
# 21,550 * 86,400 + 37 = 1,861,920,037 = 0x6efaa525.
def test_cuc_counts_tai_seconds_from_1958():
    code = octets("6efaa525 8000")
    same(decode_times(code, CucFormat(), scale=TAI), "2017-01-01T00:00:37.5")
    same(decode_times(code, CucFormat(), scale=UTC), "2017-01-01T00:00:00.5")


def test_the_p_field_of_each_row_says_what_follows():
    times = decode_times(
        octets(
            "1e 6efaa525 8000 00",  # CUC, 4 + 2
            "1c 6efaa525 000000",  # CUC, 4 + 0
            "9f04 6efaa525 8000",  # CUC, 4 + 4: it does not fit into the row
            "40 542e 00000001 00",  # CDS: 21,550 days and 1 ms
            "ff 000000000000 00",  # nothing
            "50 20170101 000001",  # CCS: it ends in the last octet
        ),
    )
    same(
        times,
        "2017-01-01T00:00:00.5",
        "2017-01-01T00:00:00",
        "NaT",
        "2017-01-01T00:00:00.001",
        "NaT",
        "2017-01-01T00:00:01",
    )
    assert times.scale is UTC


def test_a_p_field_of_two_octets_is_followed():
    same(decode_times(octets("9f04 6efaa525 80000000"), scale=TAI), "2017-01-01T00:00:37.5")


def test_an_epoch_of_the_mission_must_be_named():
    code = octets("2e 00000001 4000")
    with pytest.raises(UsageError, match="an epoch of the mission: name it"):
        decode_times(code)
    epoch = find_epoch("2000-01-01T00:00:00 TAI")
    same(decode_times(code, epoch=epoch, scale=TAI), "2000-01-01T00:00:01.25")
    same(decode_times(code, epoch=epoch), "1999-12-31T23:59:29.25")


# 256**-2 s = 15,258.789 ns; 256**-4 s = 0.23 ns; 256**-8 s is nothing.
@pytest.mark.parametrize(
    ("fine_octets", "fine", "ns"),
    [
        (0, 0, 0),
        (1, 1, 3_906_250),
        (1, 255, 996_093_750),
        (2, 1, 15_259),
        (2, 0xFFFF, 999_984_741),
        (3, 1, 60),
        (4, 1, 0),
        (4, 3, 1),
        (4, 0xFFFFFFFF, 1_000_000_000),
        (5, 0x8000000000, 500_000_000),
        (7, 0x40000000000000, 250_000_000),
        (8, 0xFFFFFFFFFFFFFFFF, 1_000_000_000),
        (8, 1, 0),
    ],
)
def test_fractions_are_rounded_to_the_nearest_nanosecond(fine_octets, fine, ns):
    counts = np.array([7], np.uint64), np.array([fine], np.uint64)
    elapsed, is_valid = cuc_counts_elapsed(*counts, fine_octets)
    assert elapsed.tolist() == [7_000_000_000 + ns]
    assert is_valid.all()


@given(
    st.integers(0, (1 << 33) - 1),
    st.integers(0, (1 << 80) - 1),
    st.integers(5, 7),
    st.integers(0, 10),
)
def test_elapsed_time_is_the_exact_one_rounded(coarse, fine, coarse_octets, fine_octets):
    fine >>= 80 - 8 * fine_octets
    code = coarse.to_bytes(coarse_octets, "big") + fine.to_bytes(fine_octets, "big")
    time_format = CucFormat(coarse_octets=coarse_octets, fine_octets=fine_octets)
    elapsed, is_valid = cuc_elapsed(np.frombuffer(code, np.uint8)[None], time_format)
    exact = coarse * 10**9 * 256**fine_octets + fine * 10**9  # in ns / 256**fine_octets
    assert is_valid.all()
    assert abs(int(elapsed[0]) * 256**fine_octets - exact) * 2 <= 256**fine_octets + (
        256 ** (fine_octets - 4) if fine_octets > 4 else 0
    )


def test_seconds_that_do_not_fit_are_no_time():
    code = octets("ffffffffffffff", "00000000000001")
    times = decode_times(code, CucFormat(coarse_octets=7, fine_octets=0), scale=TAI)
    same(times, "NaT", "1958-01-01T00:00:01")


def test_a_time_past_the_range_of_64_bits_is_no_time():
    # 2**63 ns are 9,223,372,036.85 s; from 1958 one second more than to 2262-04-11T23:47:16.
    top = (9_223_372_036 + 378_691_200).to_bytes(5, "big").hex()
    beyond = (9_223_372_036 + 378_691_201).to_bytes(5, "big").hex()
    times = decode_times(octets(top, beyond), CucFormat(coarse_octets=5, fine_octets=0), scale=TAI)
    assert np.isnat(times.at[1])


@given(st.integers(0, (1 << 32) * 10**9 - 1), st.integers(0, 5))
def test_what_was_encoded_comes_back_to_its_resolution(elapsed_ns, fine_octets):
    time_format = CucFormat(fine_octets=fine_octets)
    code = np.frombuffer(encode_cuc(elapsed_ns, time_format), np.uint8)[None]
    elapsed, _ = cuc_elapsed(code, time_format)
    assert -1 <= elapsed_ns - int(elapsed[0]) <= 10**9 // 256**fine_octets + 1


def test_columns_of_counts_are_times_too():
    coarse, fine = np.array([1_861_920_037], np.uint32), np.array([0x8000], np.uint16)
    same(cuc_times(coarse, fine, fine_octets=2), "2017-01-01T00:00:37.5")


# --- CDS ------------------------------------------------------------------------------------------


# From 1970 on: before, version 0.32.0 of the peer subtracts the milliseconds.
@given(st.integers(4383, 65535), st.integers(0, 86_399_999))
def test_day_segmented_times_are_those_of_spacepackets(days, ms):
    stamp = CdsShortTimestamp(days, ms)
    code = np.frombuffer(bytes(stamp.pack()), np.uint8)[None]
    by_peer = np.datetime64(stamp.as_datetime().replace(tzinfo=None), "ns")
    off_by = abs(decode_times(code).at[0] - by_peer)
    assert off_by <= np.timedelta64(10, "us")  # The peer counts in floats.


def test_parts_of_a_millisecond_count():
    days = "542e"
    same(
        decode_times(octets(f"41 {days} 00000001 03e7"), scale=UTC),
        "2017-01-01T00:00:00.001999",
    )
    same(
        decode_times(octets(f"42 {days} 00000001 3b9ac9ff"), scale=UTC),  # 999,999,999 ps
        "2017-01-01T00:00:00.002",
    )
    same(
        decode_times(octets(f"45 00{days} 00000001 03e7"), scale=UTC),
        "2017-01-01T00:00:00.001999",
    )


@pytest.mark.parametrize(
    "code",
    [
        "40 542e 05265fe8",  # 86,401,000 ms: past a leap second
        "41 542e 00000000 03e8",  # 1,000 us
        "42 542e 00000000 3b9aca00",  # 1,000,000,000 ps
        "44 ffffff 00000000",  # in 47,892
    ],
)
def test_what_no_day_has_is_no_time(code):
    assert np.isnat(decode_times(octets(code)).at[0])


def test_a_leap_second_is_told_from_the_second_behind_it():
    # 2016-12-31 is day 21,549; its 86,400,500th ms is 23:59:60.5.
    times = decode_times(octets("40 542d 05265df4", "40 542e 000001f4"))
    same(times, "2017-01-01T00:00:00.5", "2017-01-01T00:00:00.5")
    assert times.is_leap_second.tolist() == [True, False]
    same(times.to(TAI), "2017-01-01T00:00:36.5", "2017-01-01T00:00:37.5")
    back = times.to(TAI).to(UTC)
    assert back.at.tolist() == times.at.tolist()
    assert back.is_leap_second.tolist() == [True, False]


@pytest.mark.outside_data
def test_the_times_of_noaa20_are_one_second_apart(test_data):
    (dump,) = (test_data / "jpss_geolocation").glob("*.DAT1")
    packets = np.frombuffer(dump.read_bytes(), np.uint8)
    stamps = rows(packets, np.arange(7200) * 71 + 6, 8)
    times = decode_times(stamps, CdsFormat(submillisecond_octets=2))
    assert times.at[0].astype("M8[s]") == np.datetime64("2021-04-09T00:00:00")  # As the file says.
    assert times.at[-1].astype("M8[s]") == np.datetime64("2021-04-09T01:59:59")
    assert abs(np.diff(times.ns) - 10**9).max() < 10**8
    big = packets.reshape(7200, 71)[:, 6:14].copy()
    days, ms, us = (big[:, :2].view(">u2"), big[:, 2:6].view(">u4"), big[:, 6:].view(">u2"))
    counted = cds_times(days[:, 0], ms[:, 0], us[:, 0], submillisecond_octets=2)
    np.testing.assert_array_equal(counted.at, times.at)


# --- CCS and ASCII --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "time_format", "expected"),
    [
        ("1988 01 18 17 20 43", CcsFormat(), "1988-01-18T17:20:43"),
        ("1988 0018 17 20 43", CcsFormat(is_day_of_year=True), "1988-01-18T17:20:43"),
        ("1988 0366 00 00 00", CcsFormat(is_day_of_year=True), "1988-12-31"),
        ("1988 01 18 17 20 43 12 34", CcsFormat(subsecond_octets=2), "1988-01-18T17:20:43.1234"),
        (
            "1988 02 29 23 59 59 123456789999",
            CcsFormat(subsecond_octets=6),
            "1988-02-29T23:59:59.123456789",
        ),
        ("1988 13 18 17 20 43", CcsFormat(), "NaT"),
        ("1987 02 29 17 20 43", CcsFormat(), "NaT"),
        ("1987 0366 17 20 43", CcsFormat(is_day_of_year=True), "NaT"),
        ("1988 01 00 17 20 43", CcsFormat(), "NaT"),
        ("1988 01 18 24 00 00", CcsFormat(), "NaT"),
        ("1988 01 18 17 60 00", CcsFormat(), "NaT"),
        ("1988 01 18 17 20 60", CcsFormat(), "NaT"),
        ("198a 01 18 17 20 43", CcsFormat(), "NaT"),
        ("9999 01 18 17 20 43", CcsFormat(), "NaT"),
    ],
)
def test_calendar_segmented_times(code, time_format, expected):
    same(decode_ccs(octets(code), time_format), expected)


def test_the_sixtieth_second_of_a_calendar_time_is_a_leap_second():
    times = decode_ccs(octets("2016 12 31 23 59 60", "2016 12 31 23 59 59"), CcsFormat())
    same(times, "2017-01-01", "2016-12-31T23:59:59")
    assert times.is_leap_second.tolist() == [True, False]


# The first two are the standard's own examples of codes A and B (301.0-B-4, 3.5.1).
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1988-01-18T17:20:43.123456Z", "1988-01-18T17:20:43.123456"),
        ("1988-018T17:20:43.123456Z", "1988-01-18T17:20:43.123456"),
        ("1988-01-18T17:20:43", "1988-01-18T17:20:43"),
        ("1988-366T17:20:43Z  ", "1988-12-31T17:20:43"),
        ("1988-01-18T17:20:43.1234567899Z", "1988-01-18T17:20:43.123456789"),
        ("1988-01-18T17:20:43.Z", "NaT"),
        ("1988-01-18T17:20:43.12x", "NaT"),
        ("1988-01-18 17:20:43", "NaT"),
        ("1988-01-18T17:20", "NaT"),
        ("1988", "NaT"),
        ("1988-1-18T17:20:43", "NaT"),
    ],
)
def test_ascii_times(text, expected):
    same(decode_ascii(np.frombuffer(text.encode(), np.uint8)[None]), expected)


def test_no_text_is_no_time_and_no_error():
    assert len(decode_ascii(np.zeros((0, 20), np.uint8)).at) == 0


@given(st.binary(min_size=30, max_size=30))
def test_no_octets_are_an_error(code):
    row = np.frombuffer(code, np.uint8)[None]
    decode_times(row, epoch=CCSDS_EPOCH)
    decode_ascii(row)
    for _, time_format in P_FIELDS:
        decode_times(row, time_format, epoch=UNIX_EPOCH)


def test_rows_too_short_for_the_format_are_refused():
    with pytest.raises(UsageError, match="time codes of 6 octets"):
        decode_times(octets("0011223344"), CucFormat())


# --- Scales and epochs ----------------------------------------------------------------------------


def test_27_leap_seconds_lead_from_10_s_to_37_s():
    assert len(LEAP_SECONDS.starts) - 1 == 27
    assert LEAP_SECONDS.tai_minus_utc_s[[0, -1]].tolist() == [10, 37]


# GPS time is TAI - 19 s and was 18 s ahead of UTC from 2017 on (IS-GPS-200, Bulletin C 52).
def test_gps_counts_from_its_epoch_without_leap_seconds():
    elapsed = np.array([1_167_264_018]), np.array([0])  # 2017-01-01T00:00:00 UTC in GPS seconds
    same(cuc_times(*elapsed, fine_octets=0, epoch=GPS_EPOCH).to(UTC), "2017-01-01")


def test_j2000_is_noon_of_terrestrial_time():
    # TT = TAI + 32.184 s.
    assert J2000_EPOCH.at == np.datetime64("2000-01-01T12:00:00", "ns") - np.timedelta64(
        32184, "ms"
    )


def test_before_1972_scales_are_not_converted():
    same(Times(np.array(["1971-12-31"], "M8[ns]"), UTC).to(TAI), "NaT")
    same(Times(np.array(["1972-01-01T00:00:09"], "M8[ns]"), TAI).to(UTC), "NaT")
    same(Times(np.array(["1972-01-01T00:00:10"], "M8[ns]"), TAI).to(UTC), "1972-01-01")


@given(st.integers(63_072_010 * 10**9, 4_000_000_000 * 10**9))
def test_tai_to_utc_and_back_changes_nothing(ns):
    tai = Times(np.array([ns]).astype("M8[ns]"), TAI)
    assert tai.to(UTC).to(TAI).ns[0] == ns


def test_the_table_says_how_long_it_is_valid():
    days = np.array(["2026-06-28", "2026-06-29"], "M8[ns]")
    assert LEAP_SECONDS.is_beyond(days).tolist() == [False, True]
    assert "Bulletin C" in LEAP_SECONDS.source


LIST = """#  a list
#$ 3960835200
#@ 3991593600
2272060800 10 # 1 Jan 1972
2287785600 11 # 1 Jul 1972
"""


def test_a_newer_list_of_leap_seconds_can_be_read():
    table = parse_leap_seconds(LIST, "my.list")
    assert table.starts.tolist() == np.array(["1972-01-01", "1972-07-01"], "M8[ns]").tolist()
    assert table.valid_until == np.datetime64("2026-06-28")
    same(Times(np.array(["1980-01-01"], "M8[ns]"), UTC).to(TAI, table), "1980-01-01T00:00:11")


@pytest.mark.parametrize("text", ["", "#@ 3991593600", LIST.replace("#@", "##"), LIST + LIST])
def test_what_is_no_list_of_leap_seconds_is_refused(text):
    with pytest.raises(InputError, match=r"my\.list: no list of leap seconds"):
        parse_leap_seconds(text, "my.list")


def test_epochs_have_names_or_a_date_and_a_scale():
    assert find_epoch("gps") is GPS_EPOCH
    epoch = find_epoch("2000-01-01T12:00:00 utc")
    assert (epoch.at, epoch.scale) == (np.datetime64("2000-01-01T12:00:00", "ns"), UTC)
    for wrong in ("2000-01-01", "2000-13-01 TAI", "TAI", "julian"):
        with pytest.raises(UsageError, match="a date and TAI or UTC"):
            find_epoch(wrong)
