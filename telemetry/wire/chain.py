# SPDX-License-Identifier: Apache-2.0
"""Packets that follow each other without a fault, found many at a time.

A packet is clean here if the deframer, in lock, would hand it out at once: its header fits a rule,
it is whole, and its CRC holds or, without a CRC, a header that proves itself follows. Whatever asks
for more thought ends the chain; that is left to the deframer.
"""

from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.common.kernels import Kernels, compiled
from telemetry.wire.batch import Indices, Octets, VerdictCode
from telemetry.wire.crc_rows import crc16_rows, crc_tables
from telemetry.wire.rules import StreamRules
from telemetry.wire.space_packet import IDLE_APID, PRIMARY_HEADER_OCTETS, SEQUENCE_COUNT_MODULO

_APIDS = IDLE_APID + 1
_APID_BITS = 0x7FF
_VERSION_AND_TYPE = 0xF000  # Of the first two octets; both are 0 in telemetry packets.
_SHORTEST = PRIMARY_HEADER_OCTETS + 1
_SAMPLE = 8  # So many equal lengths in a row make it worth to look for more at once.
_NO_CRC, _CRC = int(VerdictCode.NONE), int(VerdictCode.GOOD)

Array: TypeAlias = NDArray[Any]
Words: TypeAlias = Array  # uint16
Flags: TypeAlias = Array  # bool


class Chain(NamedTuple):
    """Clean packets, one behind the other."""

    starts: Array  # int64
    lengths: Array  # int64
    verdicts: Array  # uint8
    apids: Array  # uint16
    counts: Array  # uint16: sequence counts.


class ApidTables:
    """The rules of a stream as arrays with an entry per APID."""

    def __init__(self, rules: StreamRules) -> None:
        self.min_octets = np.full(_APIDS, 1 << 30, np.int64)  # Of whole packets; nothing fits.
        self.max_octets = np.zeros(_APIDS, np.int64)
        self.verdicts = np.zeros(_APIDS, np.uint8)  # Of a clean packet.
        self.is_strong = np.zeros(_APIDS, np.bool_)  # A header that fits proves itself.
        if rules.any_apid is not None:
            self._set(slice(0, IDLE_APID), rules.any_apid)
            self.is_strong[:IDLE_APID] = rules.any_apid.is_fixed
        for apid, rule in rules.by_apid.items():
            self._set(slice(apid, apid + 1), rule)
            self.is_strong[apid] = True

    def _set(self, apids: slice, rule: Any) -> None:
        self.min_octets[apids] = PRIMARY_HEADER_OCTETS + rule.min_octets
        self.max_octets[apids] = PRIMARY_HEADER_OCTETS + rule.max_octets
        self.verdicts[apids] = _CRC if rule.has_crc else _NO_CRC


def clean_chain(octets: Octets, at: int, limit: int, tables: ApidTables, kernels: Kernels) -> Chain:
    """Return the clean packets that follow each other from `at` on, at most `limit` of them."""
    if kernels is Kernels.NUMBA:
        return _compiled_chain(octets, at, limit, tables)
    starts, lengths, count = _walk(octets, at, limit)
    if not count:
        return _EMPTY
    headers = _Headers(octets, starts, lengths)
    fits = headers.fit(tables)
    verdicts = tables.verdicts[headers.apids]
    is_clean = fits[:count] & (verdicts[:count] == _CRC)
    if not is_clean.all():
        is_clean |= fits[:count] & headers.are_followed(fits, tables)[:count]
    chain = Chain(starts, lengths, verdicts, headers.apids, headers.counts)
    chain = _cut(chain, _first_false(is_clean))
    return _cut(chain, _good_crcs(octets, chain))


def _cut(chain: Chain, count: int) -> Chain:
    return Chain(*(array[:count] for array in chain))


_EMPTY = Chain(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.uint8),
    np.empty(0, np.uint16),
    np.empty(0, np.uint16),
)


# --- numpy ----------------------------------------------------------------------------------------


def _walk(octets: Octets, at: int, limit: int) -> tuple[Indices, Indices, int]:
    """Follow the length fields; return starts, lengths, and how many packets are whole.

    One header more than there are whole packets is followed, if it is there.
    """
    size = len(octets)
    data = octets.data
    starts: list[int] = []
    while len(starts) <= limit and at + PRIMARY_HEADER_OCTETS <= size:
        starts.append(at)
        at += _SHORTEST + (data[at + 4] << 8 | data[at + 5])
        if len(starts) == _SAMPLE and len({b - a for a, b in pairwise(starts)}) == 1:
            return _stride(octets, starts[0], starts[1] - starts[0], limit)
    ends = np.array([*starts[1:], at], np.int64)
    begin = np.array(starts, np.int64)
    return begin, ends - begin, _whole(ends, size, limit)


def _stride(octets: Octets, at: int, stride: int, limit: int) -> tuple[Indices, Indices, int]:
    """Return packets of one length, as far as that goes; `_walk` has seen that it does."""
    most = min((len(octets) - at - PRIMARY_HEADER_OCTETS) // stride + 1, limit + 1)
    lengths = _words(octets, at + 4, stride, most) + np.int64(_SHORTEST)
    count = min(_first_false(lengths == stride) + 1, most)  # And the one that differs.
    starts = at + stride * np.arange(count, dtype=np.int64)
    return starts, lengths[:count], _whole(starts + lengths[:count], len(octets), limit)


def _whole(ends: Indices, size: int, limit: int) -> int:
    return min(int(np.searchsorted(ends, size, side="right")), limit)


def _words(octets: Octets, at: int, stride: int, count: int) -> Words:
    return np.ndarray((count,), ">u2", octets.data, at, (stride,))


def _first_false(flags: Flags) -> int:
    """Return the index of the first False, or how many there are."""
    return len(flags) if flags.all() else int(flags.argmin())


class _Headers:
    """Primary headers, column by column."""

    def __init__(self, octets: Octets, starts: Indices, lengths: Indices) -> None:
        self.lengths = lengths
        stride = int(lengths[0])
        if len(starts) > 1 and (lengths[:-1] == stride).all():
            first = int(starts[0])
            self.identifications = _words(octets, first, stride, len(starts)).astype(np.uint16)
            self.sequences = _words(octets, first + 2, stride, len(starts)).astype(np.uint16)
        else:
            words = _words(octets, 0, 1, len(octets) - 1)
            self.identifications = words[starts].astype(np.uint16)
            self.sequences = words[starts + 2].astype(np.uint16)
        self.apids = self.identifications & _APID_BITS
        self.counts = self.sequences & (SEQUENCE_COUNT_MODULO - 1)
        first_word = int(self.identifications[0])
        # All of one APID, which is not 0: the bulk of all streams.
        self._is_uniform = first_word > 0 and bool((self.identifications == first_word).all())

    def fit(self, tables: ApidTables) -> Flags:
        """Whether each fits its rule and leaves no doubt that it is a header."""
        if self._is_uniform and tables.is_strong[self.apids[0]]:
            apid = int(self.apids[0])
            low, high = tables.min_octets[apid], tables.max_octets[apid]
            fits: Flags = (self.lengths >= low) & (self.lengths <= high)
            return fits if self.identifications[0] & _VERSION_AND_TYPE == 0 else fits & False
        fits = (self.identifications & _VERSION_AND_TYPE) == 0
        fits &= self.lengths >= tables.min_octets[self.apids]
        fits &= self.lengths <= tables.max_octets[self.apids]
        # Behind a zero octet, a header must be told from fill.
        is_zero = self.identifications < 0x100
        fits &= ~is_zero | tables.is_strong[self.apids] & ~self._are_zeros()
        return fits

    def _are_zeros(self) -> Flags:
        found: Flags = (self.identifications | self.sequences == 0) & (self.lengths == _SHORTEST)
        return found

    def are_followed(self, fits: Flags, tables: ApidTables) -> Flags:
        """Whether the header behind each proves itself; False for the last."""
        found = np.zeros(len(self.lengths), np.bool_)
        if self._is_uniform and tables.is_strong[self.apids[0]] and fits.all():
            found[:-1] = True
            return found
        proves = fits & tables.is_strong[self.apids]
        proves |= (self.identifications >> 13 == 0) & (self.apids == IDLE_APID)
        found[:-1] = (proves[1:] | self._continue()) & ~self._are_zeros()[1:]
        return found

    def _continue(self) -> Flags:
        """Whether each but the first continues the sequence of the one before it."""
        is_next: Flags = self.counts[:-1] + 1 & (SEQUENCE_COUNT_MODULO - 1) == self.counts[1:]
        is_next &= self.identifications[1:] >> 13 == 0
        is_next &= self.identifications[:-1] == self.identifications[1:]
        return is_next


def _good_crcs(octets: Octets, chain: Chain) -> int:
    """Return how many of the chain there are before the first CRC that does not hold."""
    has_crc = chain.verdicts == _CRC
    if not has_crc.any():
        return len(has_crc)
    rows = slice(None) if has_crc.all() else np.flatnonzero(has_crc)
    is_good = crc16_rows(octets, chain.starts[rows], chain.lengths[rows], Kernels.NUMPY) == 0
    bad = _first_false(is_good)
    if bad == len(is_good):
        return len(has_crc)
    return bad if isinstance(rows, slice) else int(rows[bad])


# --- numba ----------------------------------------------------------------------------------------


def _compiled_chain(octets: Octets, at: int, limit: int, tables: ApidTables) -> Chain:
    room = max(min(limit, (len(octets) - at) // _SHORTEST), 0)
    types = (np.int64, np.int64, np.uint8, np.uint16, np.uint16)
    chain = Chain(*(np.empty(room, dtype) for dtype in types))
    count = compiled(_follow)(
        octets,
        at,
        tables.min_octets,
        tables.max_octets,
        tables.verdicts,
        tables.is_strong,
        crc_tables(),
        *chain,
    )
    return _cut(chain, count)


def _follow(
    octets: Octets,
    at: int,
    min_octets: Indices,
    max_octets: Indices,
    rule_verdicts: Octets,
    is_strong: Flags,
    tables: NDArray[np.uint64],
    starts: Indices,
    lengths: Indices,
    verdicts: Octets,
    apids: Words,
    counts: Words,
) -> int:
    size = len(octets)
    one, eight = np.uint64(1), np.uint64(8)
    low, high = np.uint64(0xFF), np.uint64(0xFF00)
    for count in range(len(starts)):
        if at + 6 > size:
            return count
        word = np.int64(octets[at]) << 8 | np.int64(octets[at + 1])
        sequence = np.int64(octets[at + 2]) << 8 | np.int64(octets[at + 3])
        length = (np.int64(octets[at + 4]) << 8 | np.int64(octets[at + 5])) + 7
        apid = word & 0x7FF
        end = at + length
        if word & 0xF000 or length < min_octets[apid] or length > max_octets[apid] or end > size:
            return count
        if word < 0x100 and (not is_strong[apid] or (word | sequence == 0 and length == 7)):
            return count
        if rule_verdicts[apid]:
            place, stop = np.uint64(at), np.uint64(end)
            crc = np.uint64(0xFFFF)
            while place + eight <= stop:
                crc = (
                    tables[7, octets[place] ^ (crc >> eight)]
                    ^ tables[6, octets[place + one] ^ (crc & low)]
                    ^ tables[5, octets[place + np.uint64(2)]]
                    ^ tables[4, octets[place + np.uint64(3)]]
                    ^ tables[3, octets[place + np.uint64(4)]]
                    ^ tables[2, octets[place + np.uint64(5)]]
                    ^ tables[1, octets[place + np.uint64(6)]]
                    ^ tables[0, octets[place + np.uint64(7)]]
                )
                place += eight
            while place < stop:
                crc = ((crc << eight) & high) ^ tables[0, octets[place] ^ (crc >> eight)]
                place += one
            if crc:
                return count
        else:
            if end + 6 > size:
                return count
            after = np.int64(octets[end]) << 8 | np.int64(octets[end + 1])
            after_sequence = np.int64(octets[end + 2]) << 8 | np.int64(octets[end + 3])
            after_length = (np.int64(octets[end + 4]) << 8 | np.int64(octets[end + 5])) + 7
            after_apid = after & 0x7FF
            if after >> 13 or (after | after_sequence == 0 and after_length == 7):
                return count
            is_next = after == word and (sequence + 1) & 0x3FFF == after_sequence & 0x3FFF
            fits = min_octets[after_apid] <= after_length <= max_octets[after_apid]
            is_proof = after < 0x1000 and fits and is_strong[after_apid]
            if not (after_apid == 0x7FF or is_next or is_proof):
                return count
        starts[count] = at
        lengths[count] = length
        verdicts[count] = rule_verdicts[apid]
        apids[count] = apid
        counts[count] = sequence & 0x3FFF
        at = int(end)
    return len(starts)
