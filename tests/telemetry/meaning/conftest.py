# SPDX-License-Identifier: Apache-2.0
"""Columns of packets that construct built."""

from __future__ import annotations

import numpy as np
import pytest

from telemetry.columns.meanings import compile_meanings
from telemetry.columns.plan import compile_packet
from telemetry.wire.batch import PacketBatch


@pytest.fixture(scope="session")
def raw_columns():
    """Extract the columns of data fields (octets) that follow no primary header."""

    def extract(layout, data_fields):
        lengths = np.array([len(data) for data in data_fields], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        octets = np.frombuffer(b"".join(data_fields), dtype=np.uint8)
        verdicts = np.zeros(len(lengths), dtype=np.uint8)
        batch = PacketBatch(octets, starts, lengths, 0, verdicts)
        extracted = compile_packet(layout, "PACKET", has_header=False).extract(batch)
        assert not len(extracted.failures)
        return {name: c for name, c in extracted.columns.items() if name != "crc_verdict"}

    return extract


@pytest.fixture(scope="session")
def meant(raw_columns):
    """Build packets from values, and give their columns with the meanings of the layout."""

    def give(layout, values, **options):
        data = [layout.build(value) for value in values]
        return compile_meanings(layout, "PACKET").apply(raw_columns(layout, data), **options)

    return give
