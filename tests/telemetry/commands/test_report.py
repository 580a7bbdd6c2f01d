# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry report` and `plot`, up to what a browser draws."""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from telemetry.wire.framing import encode_cobs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = b"</script><script>document.title='owned'</script>\x1b[2J"

EVIL_MISSION = """
from construct import *
from telemetry import Limits, field
PACKET = Struct(
    "words" / PaddedString(60, "ascii"),
    "<img src=x onerror=alert(1)>" / Int8ub,
    "volts" / field(
        Int16ub, unit="</script><b>V", calibration=(0, 0.01), description="<b>",
        limits=Limits(warning=(26, 30), alarm=(24, 32)),
    ),
    "state" / Enum(Int8ub, **{"<u>one</u>": 1, "two": 2}),
    "packet_error_control" / Int16ub,
)
"""


@pytest.fixture
def evil_dump(tmp_path, make_packet):
    """300 packets with text that would be markup; one in alarm, one damaged, ten missing."""
    (tmp_path / "evil.py").write_text(EVIL_MISSION)
    run = []
    for index in range(310):
        raw_volts = 3300 if index == 250 else 2800 + index % 7
        payload = EVIL.ljust(60, b"\0") + bytes((index % 256,)) + raw_volts.to_bytes(2, "big")
        run.append(bytearray(make_packet(66, index, payload + bytes((1 + index % 2,)))))
    run[100][70] ^= 1
    path = tmp_path / "pass17.bin"
    path.write_bytes(b"".join(run[:200] + run[210:]))
    return path


@pytest.fixture
def report(call):
    def run(dump, *options, definition="evil.py:PACKET", command="report"):
        return call(command, dump, *options, "--definition", definition, "-o", "report.html")

    return run


class Text(HTMLParser):
    """The elements of a page, and the text that a reader sees."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.shown, self._hidden = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden and data.strip():
            self.shown.append(data.strip())


def read(tmp_path):
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', page, re.DOTALL)[1])
    return page, plots


def test_the_page_says_what_needs_attention(report, evil_dump, tmp_path):
    done = report(evil_dump)
    assert done.returncode == 6, done.stderr
    page, _ = read(tmp_path)
    shown = " ".join(Text(page).shown)
    assert "pass17.bin Alarms" in shown
    assert "1 alarm high of 299 values" in shown
    assert "The CRC does not hold 72 bytes; once, at byte 7,200." in shown
    assert "10 packets missing in 1 gap; the widest, of 10, is before byte 14,400" in shown
    # The ledger adds up to the input.
    assert "All of the input 300 21,600 100 %" in shown


def test_plots_hold_values_limits_gaps_and_marks(report, evil_dump, tmp_path):
    report(evil_dump)
    _, plots = read(tmp_path)
    by_name = {plot["name"]: plot for plot in plots}
    volts = by_name["volts"]
    assert volts is plots[0]  # What violates its limits comes first.
    values = [value for value in volts["y"] if value is not None]
    assert len(values) == 299
    assert max(values) == 33.0
    assert volts["marks"][volts["y"].index(33.0)] == 4  # LimitState.ALARM_HIGH
    assert volts["limits"] == [
        ["warning", 26.0],
        ["warning", 30.0],
        ["alarm", 24.0],
        ["alarm", 32.0],
    ]
    assert volts["gaps"] == [[199.0, 210.0]]
    assert volts["damaged"] == [100.0]
    assert None in volts["y"]  # No line is drawn across the gap.
    assert by_name["state"]["ticks"] == [[1, "<u>one</u>"], [2, "two"]]


def test_steps_of_the_clock_are_told_and_marked(report, tmp_path, make_packet):
    (tmp_path / "clock.py").write_text(
        "from construct import *\n"
        "P = Struct('time_coarse' / Int16ub, 'n' / Int8ub, 'packet_error_control' / Int16ub)\n"
    )
    clock = [65534, 65535, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5]
    counts = [*range(70, 76), *range(6)]
    run = [
        make_packet(66, count, now.to_bytes(2, "big") + bytes((index,)))
        for index, (now, count) in enumerate(zip(clock, counts, strict=True))
    ]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = report("d.bin", "--epoch", "UNIX", definition="clock.py:P")
    assert done.returncode == 0, done.stderr
    page, (plot,) = read(tmp_path)
    assert plot["clock"] == [[65_536_000.0, "rollover"], [0.0, "reboot"]]
    # 65,534 s to 65,539 s, then from 0 on; no line leads back.
    before, after = [65_534_000 + 1000 * i for i in range(6)], [1000 * i for i in range(6)]
    assert plot["x"] == [*before, 0, *after]
    assert plot["y"] == [*range(6), None, *range(6, 12)]
    shown = " ".join(Text(page).shown)
    told = (
        "rolled over 1 time, began again (a reboot) 1 time; first before the packet at byte 22, "
        "1970-01-01 18:12:16 UTC"
    )
    assert f"The clock of APID 66 It {told}." in shown


def test_where_only_frames_tell_a_time_it_is_the_axis(report, tmp_path):
    (tmp_path / "n.py").write_text("from construct import *\nP = Struct('n' / Int8ub)\n")
    stamps = [(1_796_000_000_000 + 1000 * n).to_bytes(8, "big") for n in range(3)]
    frames = [
        b"\xc0\x09" + stamp + b"\xc0\xc0\0" + bytes((n,)) + b"\xc0"
        for n, stamp in enumerate(stamps)
    ]
    (tmp_path / "d.kss").write_bytes(b"".join(frames))
    framing = ("--framing", "kiss", "--no-primary-header")
    done = report("d.kss", *framing, definition="n.py:P")
    assert done.returncode == 0, done.stderr
    page, (plot,) = read(tmp_path)
    assert (plot["is_time"], plot["x"]) == (True, [1_796_000_000_000 + 1000 * n for n in range(3)])
    assert "APID 0, by the time of reception; 3 values." in " ".join(Text(page).shown)


FLIGHT = """
from construct import *
from telemetry import Limits, derived, field
PACKET = Struct(
    "time_coarse" / Int32ub, "time_fine" / Int16ub, "heater" / Enum(Int8ub, off=0, on=1),
    "volts" / field(
        Int8ub, unit="V", limits=Limits(warning=(None, 29), alarm=(None, 31), persistence=3)
    ),
    "position" / field(Int32sb, unit="m", valid_if=this.heater == "on"),
    "body" / Bytes(4),
    "packet_error_control" / Int16ub,
)
"""
START_S = 2_174_034_637  # 2026-11-22T10:30:00 UTC, from 1958-01-01 on, with 37 leap seconds.
START_MS = 1_795_343_400_000


@pytest.fixture
def flight(tmp_path, make_packet):
    """A hundred packets a second apart, of 24 bytes, and 30 of noise before the one of second 60.

    Alarms at second 20 (one alone), and from 40 to 44; no valid position from 70 to 79; packets 80
    to 84 come twice.
    """
    (tmp_path / "flight.py").write_text(FLIGHT)
    run = []
    for index in range(100):
        volts = 40 if index == 20 or 40 <= index < 45 else 28
        payload = (START_S + index).to_bytes(4, "big") + bytes((0, 0, not 70 <= index < 80, volts))
        position = (-7_129_670 + 1000 * index).to_bytes(4, "big", signed=True)
        run.append(make_packet(66, index, payload + position + bytes(4)))
    noise = b"\xa5" * 30
    content = b"".join((*run[:60], noise, *run[60:85], *run[80:85], *run[85:]))
    (tmp_path / "flight.bin").write_bytes(content)
    return "flight.bin"


def test_marks_of_damage_duplicates_and_brief_violations_are_drawn(report, flight, tmp_path):
    report(flight, definition="flight.py:PACKET")
    page, plots = read(tmp_path)
    by_name = {plot["name"]: plot for plot in plots}
    volts, position = by_name["volts"], by_name["position"]
    assert volts["noise"] == [[pytest.approx(START_MS + 59_500, abs=500), 30]]
    assert sorted(volts["repeats"]) == [START_MS + 1000 * index for index in range(80, 85)]
    assert (volts["persistence"], volts["bounds"]) == (3, {"low": None, "high": 29.0})
    # One violation alone stays OK, as do the first two of a row of five.
    marks = [m for m, y in zip(volts["marks"], volts["y"], strict=True) if y == 40]
    assert marks == [0, 0, 0, 4, 4, 4]
    # No line leads over the ten values that are not valid.
    hole = position["x"].index(START_MS + 80_000)
    assert position["y"][hole] is None
    assert position["x"][hole - 1] == START_MS + 69_000
    shown = " ".join(Text(page).shown)
    assert "3 alarm high of 105 values, counted from 3 violations in a row on." in shown
    assert "First at 2026-11-22 10:30:42 UTC, in the packet at byte 1,008, APID 66." in shown
    assert "30 bytes; once, at byte 1,440, about 2026-11-22 10:30:" in shown
    assert "Violations are counted from 3 violations in a row on." in shown
    assert "-7,129,670" in shown


def test_of_many_dumps_the_head_names_the_first_and_the_last(call, flight, tmp_path):
    names = [f"pass{number:02}.bin" for number in range(12)]
    for name in names:
        shutil.copy(tmp_path / flight, tmp_path / name)
    done = call("report", *names, "--definition", "flight.py:PACKET", "-o", "report.html")
    assert done.returncode == 6, done.stderr
    head = re.search(r"<h1>(.*?)</h1>", read(tmp_path)[0])[1]
    assert head == "12 dumps, pass00.bin to pass11.bin"


def test_octets_that_cannot_be_drawn_are_told(call, flight):
    options = ("--definition", "flight.py:PACKET", "-o", "report.html")
    done = call("plot", flight, "body", *options)
    assert done.returncode == 2
    assert "body: bytes or text" in done.stderr


def test_text_of_packets_and_definitions_stays_text(report, evil_dump, tmp_path):
    report(evil_dump)
    page, _ = read(tmp_path)
    text = Text(page)
    assert not {"img", "u"} & set(text.tags)
    assert page.count("<script") == 3 + page.count("\\u003cscript")  # Points, plotly, ours.
    assert "<img" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "onerror=alert(1)&gt;" in page
    assert "\x1b" not in page
    assert any(line.startswith("</script><script>docum") for line in text.shown)


def test_nothing_is_fetched_and_no_other_script_may_run(report, evil_dump, tmp_path):
    report(evil_dump)
    page, _ = read(tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src &#x27;none&#x27;" in policy
    assert policy.count("sha256-") == 2
    head = page[: page.index("</main>")]
    assert not re.findall(r'(?:src|href)="', head)


def test_a_clean_dump_is_said_to_be_clean(report, good_dump, mission, tmp_path):
    done = report(good_dump, definition="mission.py:PACKETS")
    assert done.returncode == 0, done.stderr
    page, plots = read(tmp_path)
    assert "Nothing amiss" in page
    assert "Every byte is accounted for, no packet is missing" in page
    assert [plot["name"] for plot in plots] == ["number"]


def test_a_damaged_dump_is_reported(report, damaged_dump, mission, tmp_path):
    done = report(damaged_dump, definition="mission.py:PACKETS")
    assert done.returncode == 6
    shown = " ".join(Text(read(tmp_path)[0]).shown)
    assert "All of the input 14 297 100 %" in shown
    assert "Bytes that are no packet 13 bytes; once, at byte 120." in shown


def test_the_floor_of_frames_has_a_ledger_too(call, dump_of, mission, tmp_path):
    frames = [encode_cobs(packet) for packet in dump_of(30)]
    frames[4] = frames[4][:9] + frames[4][10:]  # One octet lost: the frame does not decode.
    (tmp_path / "d.bin").write_bytes(b"".join(frames))
    options = ("--framing", "cobs", "--definition", "mission.py:PACKETS", "-o", "report.html")
    done = call("report", "d.bin", *options)
    assert done.returncode == 6, done.stderr
    size = sum(map(len, frames))
    shown = " ".join(Text(read(tmp_path)[0]).shown)
    assert f"All of the input – {size:,} 100 %" in shown
    assert "In whole frames" in shown
    assert f"29 packets of 1 APID decoded from {size:,} bytes" in shown


def test_a_violation_is_placed_by_its_frame_in_the_dump(call, housekeeping_of, mission, tmp_path):
    frames = [encode_cobs(housekeeping_of(index, 2800 + 300 * index)) for index in range(3)]
    (tmp_path / "d.bin").write_bytes(b"".join(frames))
    options = ("--framing", "cobs", "--definition", "mission.py:HOUSEKEEPING", "-o", "report.html")
    done = call("report", "d.bin", *options)
    assert done.returncode == 0, done.stderr
    shown = " ".join(Text(read(tmp_path)[0]).shown)
    assert f"First in the frame at byte {len(frames[0])}, APID 66." in shown


def test_several_dumps_are_one_report_and_what_they_share_counts_once(
    call, dump_of, mission, tmp_path
):
    run = dump_of(30)
    (tmp_path / "a.bin").write_bytes(b"".join(run[:20]))
    (tmp_path / "b.bin").write_bytes(b"".join(run[10:]))
    done = call(
        "report", "a.bin", "b.bin", "--definition", "mission.py:PACKETS", "-o", "report.html"
    )
    assert done.returncode == 0, done.stderr
    shown = " ".join(Text(read(tmp_path)[0]).shown)
    assert "30 packets decoded" in shown
    assert "Packets held twice" in shown


def test_plot_draws_the_columns_that_were_asked_for(call, good_dump, mission, tmp_path):
    done = call(
        "plot", good_dump, "number", "sequence_*", "--definition", "mission.py:PACKETS",
        "-o", "report.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, plots = read(tmp_path)
    names = {plot["name"] for plot in plots}
    assert names == {"sequence_flags", "sequence_count", "number"}


def test_plot_takes_several_dumps_before_the_columns(call, dump_of, mission, tmp_path):
    for name, part in (("a.bin", dump_of(20)), ("b.bin", dump_of(20, first=20))):
        (tmp_path / name).write_bytes(b"".join(part))
    options = ("--definition", "mission.py:PACKETS", "-o", "report.html")
    assert call("plot", "a.bin", "b.bin", "number", *options).returncode == 0
    assert read(tmp_path)[1][0]["y"] == list(range(40))
    done = call("plot", "a.bin", "b.bin", *options)
    assert done.returncode == 2
    assert "name the columns to draw behind b.bin" in done.stderr


def test_a_column_that_is_not_there_is_told(call, good_dump, mission):
    done = call(
        "plot", good_dump, "volts", "--definition", "mission.py:PACKETS", "-o", "report.html"
    )
    assert done.returncode == 2
    assert "volts: no such column" in done.stderr


@pytest.mark.parametrize("command", ["report", "plot"])
def test_without_plotly_the_command_that_brings_it_is_printed(
    call, good_dump, mission, tmp_path, monkeypatch, command
):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    columns = ["number"] if command == "plot" else []
    done = call(
        command, good_dump, *columns, "--definition", "mission.py:PACKETS", "-o", "report.html"
    )
    assert done.returncode == 5
    assert "  python -m pip install 'fw-tools[report]'\n" in done.stderr
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [("report.pdf", "ends in .html"), ("none/report.html", "there is no folder none")],
)
def test_wrong_outputs_are_told(call, good_dump, mission, output, message):
    done = call("report", good_dump, "--definition", "mission.py:PACKETS", "-o", output)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_dump_without_a_packet_gives_no_page(report, tmp_path, mission):
    (tmp_path / "bad.bin").write_bytes(b"\xff" * 99)
    assert report("bad.bin", definition="mission.py:PACKETS").returncode == 3
    assert not (tmp_path / "report.html").exists()


# --- In a browser ---------------------------------------------------------------------------------


def dump_dom(page, folder, zone="UTC"):
    """Return the page as a browser has it when its scripts are done."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run",
        f"--user-data-dir={folder}", "--virtual-time-budget=8000", "--dump-dom", f"file://{page}",
    ]  # fmt: skip
    environment = {**os.environ, "TZ": zone}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_draws_points_limits_and_gaps_and_runs_no_foreign_script(
    report, evil_dump, tmp_path
):
    report(evil_dump)
    _, plots = read(tmp_path)
    dom = dump_dom(tmp_path / "report.html", tmp_path / "profile")
    assert f'data-drawn="{len(plots)}"' in dom
    first = dom[dom.index('id="plot-0"') : dom.index('id="plot-1"')]
    assert len(re.findall(r'<path class="js-line"[^>]* d="M[^"]+L', first)) >= 1
    assert len(re.findall(r'<path class="point"', first)) >= 299 + 1 + 1  # Values, alarm, damaged.
    # Shapes: one gap, two warning limits, two alarm limits.
    assert first.count('data-index="') >= 5
    assert "<title>owned</title>" not in dom
    assert "<img" not in dom.replace("&lt;img", "")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_elsewhere_draws_utc_and_rings_and_ticks(report, flight, tmp_path):
    """The zone of the reader is four hours and more from UTC; the flight began at 10:30 UTC."""
    report(flight, definition="flight.py:PACKET")
    dom = dump_dom(tmp_path / "report.html", tmp_path / "profile", "America/New_York")
    first = dom[dom.index('id="plot-0"') : dom.index('id="plot-1"')]
    ticks = re.findall(r'<g class="xtick"><text[^>]*>(?:<tspan[^>]*>)?([^<]+)', first)
    assert ticks
    assert all(tick.startswith(("10:30", "10:31")) for tick in ticks), ticks
    # Not all of the violations: 3 count, 3 are rings; then 5 duplicates and 1 stretch of noise.
    traces = re.findall(r'<g class="points">(.*?)</g>', first, re.DOTALL)
    assert [len(re.findall('class="point"', trace)) for trace in traces] == [105, 3, 3, 5, 1]
    values = re.findall(r'<g class="ytick"><text[^>]*>([^<]+ m)<', dom)
    assert values
    assert all(re.fullmatch(r"−7,\d{3},\d{3} m", value) for value in values), values


@pytest.mark.outside_data
def test_the_noaa20_dump_is_reported(call, test_data, repository, tmp_path):
    (dump,) = (test_data / "jpss_geolocation").glob("*.DAT1")
    source = f"{repository}/examples/noaa20_geolocation.py:PACKET"
    times = ("--time", "cds:DOY,MSEC,USEC")
    done = call("report", dump, "--definition", source, *times, "-o", "report.html")
    assert done.returncode == 0, done.stderr
    page, plots = read(tmp_path)
    assert "MSEC" not in [plot["name"] for plot in plots]  # It is the time.
    position = next(plot for plot in plots if plot["name"] == "ADGPSPOSX")
    assert position["is_time"]
    # The file name says 2021-04-09T00:00:00Z; in ms since 1970 that is 1,617,926,400,000.
    assert 0 <= position["x"][0] - 1_617_926_400_000 < 2000
    assert len([y for y in position["y"] if y is not None]) >= 1000
    assert "Nothing amiss" in page
    assert "7,200 packets without a CRC could not be checked." in page
