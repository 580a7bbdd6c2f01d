# SPDX-License-Identifier: Apache-2.0
"""A short run of the fuzzer's check over seeds and what hypothesis makes of them."""

import importlib.util
import random
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FUZZER = Path(__file__).parents[1] / "fuzz" / "fuzz_decode.py"


def _load():
    spec = importlib.util.spec_from_file_location("fuzz_decode", FUZZER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = _load()


@pytest.mark.parametrize("seed", range(4))
def test_packets_whole_and_broken_are_decoded_in_any_framing(seed):
    for data in fuzz.seeds(60, seed):
        fuzz.check(data)


@settings(max_examples=150, deadline=None)
@given(
    head=st.binary(min_size=fuzz.SETTINGS.size, max_size=fuzz.SETTINGS.size),
    parts=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.integers(0, 3000).map(bytes),
            st.sampled_from(
                [b"\x00\x42\xc0\x00\xff\xff", b"\x00\x43\xc0\x01\x00\x05abcdef", b"\xc0\xdb\xc0",
                 b"\x07\xff\xc0\x00\x00\x00\x01", b"\x00\x00\x00\x00\x00\x00\x00", b"\x03\x00\xff"]
            ),
        ),
        max_size=8,
    ),
)  # fmt: skip
def test_any_octets_are_accounted_for(head, parts):
    fuzz.check(head + b"".join(parts))


def test_long_inputs_take_little_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = random.Random(8)
    block = bytes(rng.randrange(256) for _ in range(1 << 16))
    for stream in (block * 8, b"\x00\x42\xc0\x00\xff\xff" * 60_000, bytes(1 << 20)):
        for framing in range(10):
            fuzz.check(fuzz.SETTINGS.pack(0, framing, 0, 3, 0, 0, 0) + stream)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB
