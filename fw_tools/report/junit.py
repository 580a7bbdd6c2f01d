# SPDX-License-Identifier: Apache-2.0
"""A run as JUnit XML, in the form that Jenkins' schema, GitLab and GitHub actions read."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from fw_tools.report.records import RunReport, Status, TestRecord

# What XML 1.0 cannot hold, not even escaped (its production 2, Char).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {Status.FAILED: "failure", Status.ERROR: "error", Status.SKIPPED: "skipped"}


def render_junit(report: RunReport) -> str:
    """Return one <testsuite> per bench; time stamps and host names are left out."""
    root = ET.Element("testsuites", {"name": _clean(report.title)} | _counts(report.records))
    for bench, records in groupby(report.records, key=lambda record: record.bench):
        _add_suite(root, bench, tuple(records), report.seed)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_suite(root: ET.Element, bench: str, records: Sequence[TestRecord], seed: int) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": _clean(bench)} | _counts(records))
    skipped = sum(record.status is Status.SKIPPED for record in records)
    suite.set("skipped", str(skipped))
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="seed", value=str(seed))
    for record in records:
        _add_case(suite, record)


def _add_case(suite: ET.Element, record: TestRecord) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(record.bench),
        name=_clean(record.test),
        time=f"{record.seconds:.3f}",
    )
    if tag := _TAGS.get(record.status):
        first = record.message.partition("\n")[0]
        outcome = ET.SubElement(case, tag, message=_clean(first))
        if tag != "skipped":
            outcome.set("type", record.status.value)
            outcome.text = _clean("\n".join(filter(None, (record.location, record.message))))
    if record.log:
        ET.SubElement(case, "system-out").text = _clean(f"log: {record.log}")


def _counts(records: Iterable[TestRecord]) -> dict[str, str]:
    listed = list(records)
    return {
        "tests": str(len(listed)),
        "failures": str(sum(record.status is Status.FAILED for record in listed)),
        "errors": str(sum(record.status is Status.ERROR for record in listed)),
        "time": f"{sum(record.seconds for record in listed):.3f}",
    }


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
