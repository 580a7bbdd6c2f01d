# SPDX-License-Identifier: Apache-2.0
"""Times of packets out of the columns of their definitions."""

import numpy as np
import pytest
from construct import Bytes, If, Int8ub, Int16ub, Int32ub, Struct, this

from telemetry.columns.plan import compile_packet
from telemetry.errors import UsageError
from telemetry.ops.packet_times import find_time_columns, parse_time_columns
from telemetry.wire.batch import PacketBatch
from telemetry.wire.pus import pus_fields, pus_header, time_fields
from telemetry.wire.time_formats import CdsFormat, CucFormat
from telemetry.wire.time_scales import Scale, find_epoch


def columns_of(layout, *fields: bytes):
    """Compile the layout and extract these data fields."""
    lengths = np.array([len(field) for field in fields], np.int64)
    octets = np.frombuffer(b"".join(fields), np.uint8)
    starts = np.cumsum(lengths) - lengths
    batch = PacketBatch(octets, starts, lengths, 0, np.zeros(len(fields), np.uint8))
    return compile_packet(layout, "PACKET", has_header=False).extract(batch).columns


def same(times, *texts):
    np.testing.assert_array_equal(times.at, np.array(texts, "M8[ns]"))


# 2017-01-01 is day 21,550 of 1958; in TAI it began 1,861,920,037 = 0x6efaa525 s after 1958.
CUC_STAMP = bytes.fromhex("6efaa525 8000")
CDS_STAMP = bytes.fromhex("542e 00000001 03e7")


def test_the_time_of_a_pus_header_is_found_and_read():
    layout = Struct(*pus_fields(CucFormat(), has_p_field=True), "x" / Int8ub)
    found = find_time_columns(layout)
    assert found.time_format == CucFormat()
    assert (found.names, found.p_field) == (("time_coarse", "time_fine"), "time_p_field")
    columns = columns_of(layout, bytes(7) + b"\x1e" + CUC_STAMP + b"x")
    same(found.times(columns), "2017-01-01T00:00:00.5")
    same(found.times(columns, scale=Scale.TAI), "2017-01-01T00:00:37.5")


def test_a_header_under_a_name_is_found_too():
    layout = Struct("header" / pus_header(CdsFormat(submillisecond_octets=2)), "x" / Int8ub)
    found = find_time_columns(layout)
    assert found.names == ("header.time_days", "header.time_ms", "header.time_us")
    same(found.times(columns_of(layout, bytes(7) + CDS_STAMP + b"x")), "2017-01-01T00:00:00.001999")


def test_a_fraction_of_three_octets_is_one():
    layout = Struct(*time_fields(CucFormat(fine_octets=3)))
    columns = columns_of(layout, CUC_STAMP + b"\0")
    same(find_time_columns(layout).times(columns), "2017-01-01T00:00:00.5")


def test_a_p_field_that_says_something_else_is_no_time():
    layout = Struct(*time_fields(CucFormat(), has_p_field=True))
    columns = columns_of(layout, b"\x1e" + CUC_STAMP, b"\x1f" + CUC_STAMP)
    same(find_time_columns(layout).times(columns), "2017-01-01T00:00:00.5", "NaT")


def test_an_epoch_of_the_mission_must_be_named():
    layout = Struct(*time_fields(CucFormat(), has_p_field=True))
    columns = columns_of(layout, bytes.fromhex("2e 00000001 8000"))
    found = find_time_columns(layout)
    with pytest.raises(UsageError, match="name it with --epoch"):
        found.times(columns)
    same(found.times(columns, epoch=find_epoch("2020-01-01 UTC")), "2020-01-01T00:00:01.5")


def test_a_time_that_a_packet_leaves_out_is_none():
    layout = Struct("has_time" / Int8ub, "t" / If(this.has_time, Struct(*time_fields(CdsFormat()))))
    columns = columns_of(layout, b"\x01" + CDS_STAMP[:6], b"\x00")
    found = parse_time_columns("cds:days,ms", Struct("days" / Int16ub, "ms" / Int32ub))
    named = {"days": columns["t.time_days"], "ms": columns["t.time_ms"]}
    same(found.times(named), "2017-01-01T00:00:00.001", "NaT")


def test_fields_can_be_named():
    layout = Struct("DOY" / Int16ub, "MSEC" / Int32ub, "USEC" / Int16ub, "rest" / Bytes(1))
    found = parse_time_columns("cds:DOY,MSEC,USEC", layout)
    same(found.times(columns_of(layout, CDS_STAMP + b"x")), "2017-01-01T00:00:00.001999")
    layout = Struct("s" / Int32ub, "f" / Int16ub)
    same(
        parse_time_columns("cuc:s,f", layout).times(columns_of(layout, CUC_STAMP)),
        "2017-01-01T00:00:00.5",
    )
    same(parse_time_columns("cuc:s", layout).times(columns_of(layout, CUC_STAMP)), "2017-01-01")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DOY,MSEC", "expected cuc:SECONDS,FRACTION or cds:DAYS,MS,PARTS"),
        ("cds:DOY", "expected cuc:"),
        ("cuc:a,b,c", "expected cuc:"),
        ("cuc:seconds", "no field seconds; the packet has days, ms"),
        ("cds:ms,days", "CDS of 4 [+] 4 [+] 0 octets; it has 2 or 3"),
    ],
)
def test_other_names_are_refused_with_what_would_be_right(text, words):
    with pytest.raises(UsageError, match=words):
        parse_time_columns(text, Struct("days" / Int16ub, "ms" / Int32ub))


def test_a_packet_without_a_time_has_none():
    assert find_time_columns(Struct("x" / Int8ub)) is None
    assert find_time_columns(Struct("days" / Int16ub, "ms" / Int32ub)) is None
    assert find_time_columns(Struct("coarse" / Int32ub, "fine" / Int16ub)) is None
    assert find_time_columns(Int8ub) is None
