# SPDX-License-Identifier: Apache-2.0
"""Streams of frames, and the checks that hold for whatever comes out of them."""

from __future__ import annotations

import pytest

from telemetry.ops.frame_ledger import FrameLedger


def cut(stream: bytes, sizes: list[int]):
    """Yield `stream` in pieces of these sizes, over and over."""
    at, turn = 0, 0
    while at < len(stream):
        size = max(1, sizes[turn % len(sizes)])
        yield stream[at : at + size]
        at, turn = at + size, turn + 1


@pytest.fixture(scope="session")
def deframe():
    """Run a framing over a stream in pieces; assert that its records partition the stream."""

    def run(framing, stream: bytes, sizes: list[int] | None = None):
        ledger = FrameLedger()
        records = []
        for chunk in cut(stream, sizes or [1 << 20]):
            records += ledger.watch(framing.push(chunk))
        records += ledger.watch(framing.close())
        ledger.close(len(stream))
        assert sum(record.length for record in records) == len(stream)
        return records

    return run


@pytest.fixture(scope="session")
def payloads():
    """The payloads of the records of one kind."""

    def of(records, kind="frame"):
        return [record.data for record in records if record.kind == kind]

    return of
