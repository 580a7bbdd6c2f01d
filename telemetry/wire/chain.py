# SPDX-License-Identifier: Apache-2.0
"""Packets that follow each other without a fault, found many at a time.

A packet is clean here if the deframer, in lock, would hand it out at once: its header fits a rule,
it is whole, and its CRC holds or, without a CRC, a believable header follows. So is one that the
deframer would walk over at once: an idle packet, or one of an APID that the rules do not know, with
a believable header behind it and nothing in it that looks like a packet of the stream. Nothing in a
packet without a CRC may look like one with a CRC either. Whatever asks for more thought ends the
chain; that is left to the deframer.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.common.kernels import Kernels, compiled
from telemetry.wire.batch import Indices, Octets, VerdictCode
from telemetry.wire.crc_rows import crc16_rows, crc_tables
from telemetry.wire.rules import DOUBTFUL_OCTETS, StreamRules
from telemetry.wire.space_packet import IDLE_APID, PRIMARY_HEADER_OCTETS, SEQUENCE_COUNT_MODULO
from telemetry.wire.walk import CHAIN_OF_STRANGERS, SHORTEST, first_false, walk, words

_APIDS = IDLE_APID + 1
_APID_BITS = 0x7FF
_TYPE = 0x1000
_VERSION_AND_TYPE = 0xF000  # Of the first two octets; both are 0 in telemetry packets.
PACKET, OTHER, IDLE = range(3)
_FIRST_CRCS = 64
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
    kinds: Array  # uint8: PACKET, OTHER or IDLE.


class ApidTables:
    """The rules of a stream as arrays with an entry per APID."""

    def __init__(self, rules: StreamRules) -> None:
        self.min_octets = np.full(_APIDS, 1 << 30, np.int64)  # Of whole packets; nothing fits.
        self.max_octets = np.zeros(_APIDS, np.int64)
        self.verdicts = np.zeros(_APIDS, np.uint8)  # Of a clean packet.
        self.is_strong = np.zeros(_APIDS, np.bool_)  # A header that fits proves itself.
        self.is_vague = rules.is_vague
        self.has_crc = rules.has_crc
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
    starts, lengths, count = walk(octets, at, limit)
    if not count:
        return EMPTY_CHAIN
    headers = _Headers(octets, starts, lengths)
    fits = headers.fit(tables)
    verdicts = tables.verdicts[headers.apids]
    kinds = np.zeros(len(starts), np.uint8)
    is_clean = fits[:count] & (verdicts[:count] == _CRC)
    if not is_clean.all():
        is_followed = headers.are_followed(fits, tables, len(octets))[:count]
        is_clean |= fits[:count] & is_followed
        if not is_clean.all():
            kinds[:count] = headers.stranger_kinds(tables)[:count]
            is_clean |= (kinds[:count] != PACKET) & is_followed
        is_clean &= ~headers.are_doubtful(verdicts, tables)[:count]
    chain = Chain(starts, lengths, verdicts, headers.apids, headers.counts, kinds)
    chain = _cut(chain, first_false(is_clean))
    chain = _cut(chain, _first_with_packet_inside(octets, chain, tables))
    return _cut(chain, _good_crcs(octets, chain))


def _cut(chain: Chain, count: int) -> Chain:
    return Chain(*(array[:count] for array in chain))


EMPTY_CHAIN = Chain(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.uint8),
    np.empty(0, np.uint16),
    np.empty(0, np.uint16),
    np.empty(0, np.uint8),
)


# --- numpy ----------------------------------------------------------------------------------------


class _Headers:
    """Primary headers, column by column."""

    def __init__(self, octets: Octets, starts: Indices, lengths: Indices) -> None:
        self.starts, self.lengths = starts, lengths
        stride = int(lengths[0])
        if len(starts) > 1 and (lengths[:-1] == stride).all():
            first = int(starts[0])
            self.identifications = words(octets, first, stride, len(starts)).astype(np.uint16)
            self.sequences = words(octets, first + 2, stride, len(starts)).astype(np.uint16)
        else:
            anywhere = words(octets, 0, 1, len(octets) - 1)
            self.identifications = anywhere[starts].astype(np.uint16)
            self.sequences = anywhere[starts + 2].astype(np.uint16)
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
        found: Flags = (self.identifications | self.sequences == 0) & (self.lengths == SHORTEST)
        return found

    def are_followed(self, fits: Flags, tables: ApidTables, size: int) -> Flags:
        """Whether a believable header is behind each; False for the last."""
        found = np.zeros(len(self.lengths), np.bool_)
        if self._is_uniform and tables.is_strong[self.apids[0]] and fits.all():
            found[:-1] = True
            return found
        is_possible = (self.identifications >> 13 == 0) & ~self._are_zeros()
        proves, is_idle = fits & tables.is_strong[self.apids], self.apids == IDLE_APID
        if not tables.is_vague:
            proves |= is_idle
        proves[1:] |= self._continue()
        proves &= is_possible
        is_weak = is_possible & (self.starts + self.lengths <= size)
        if tables.is_vague:
            is_weak &= fits | is_idle
        believable = proves | is_weak
        for _ in range(CHAIN_OF_STRANGERS - 1):
            believable[:-1] = proves[:-1] | is_weak[:-1] & believable[1:]
            believable[-1] = proves[-1]
        found[:-1] = believable[1:]
        return found

    def stranger_kinds(self, tables: ApidTables) -> Array:
        """Return OTHER and IDLE for whole packets that the rules do not know, else PACKET."""
        is_idle = self.apids == IDLE_APID
        is_unknown = is_idle | (tables.max_octets[self.apids] == 0)
        is_unknown |= self.identifications & _TYPE != 0
        is_unknown &= self.identifications >> 13 == 0
        # Behind a zero octet, the header must not be one of the stream that begins there.
        is_zero = self.identifications < 0x100
        shifted = (self.identifications & 0xFF) << 8 | self.sequences >> 8
        may_be_shifted = tables.is_strong[shifted & _APID_BITS] | (
            shifted & _APID_BITS == IDLE_APID
        )
        may_be_shifted &= shifted >> 13 == 0
        is_unknown &= ~is_zero | (self.identifications != 0) & ~may_be_shifted
        return np.where(is_unknown, np.where(is_idle, IDLE, OTHER), PACKET).astype(np.uint8)

    def are_doubtful(self, verdicts: Array, tables: ApidTables) -> Flags:
        """Whether a damaged length may be behind it, see `Deframer._is_doubtful`."""
        found: Flags = (self.lengths > DOUBTFUL_OCTETS) & (verdicts == _NO_CRC)
        if found.any():
            found &= tables.min_octets[self.apids] < tables.max_octets[self.apids]
            found[:-1] &= ~self._continue()
        return found

    def _continue(self) -> Flags:
        """Whether each but the first continues the sequence of the one before it."""
        is_next: Flags = self.counts[:-1] + 1 & (SEQUENCE_COUNT_MODULO - 1) == self.counts[1:]
        is_next &= self.identifications[1:] >> 13 == 0
        is_next &= self.identifications[:-1] == self.identifications[1:]
        return is_next


def _first_with_packet_inside(octets: Octets, chain: Chain, tables: ApidTables) -> int:
    """Return the index of the first packet in which one of the stream may begin.

    In a stranger that is any, in a packet without a CRC one that carries a CRC.
    """
    is_claim = chain.kinds != PACKET
    if tables.has_crc:
        is_claim |= chain.verdicts == _NO_CRC
    claims = np.flatnonzero(is_claim)
    if not len(claims):
        return len(chain.kinds)
    first, last = int(claims[0]), int(claims[-1])
    start = int(chain.starts[first])
    end = int(chain.starts[last] + chain.lengths[last])
    if end + PRIMARY_HEADER_OCTETS > len(octets):
        return last  # Whether a packet begins in its last octets is open.
    places = np.flatnonzero(octets[start:end] < 0x10) + start  # Version 0, telemetry.
    apids = words(octets, 0, 1, len(octets) - 1)[places] & _APID_BITS
    places = places[_fit_rules(octets, places, apids, tables)]
    packets = np.searchsorted(chain.starts, places, side="right") - 1
    is_inside = (places != chain.starts[packets]) & is_claim[packets]
    if tables.has_crc:
        apids = words(octets, 0, 1, len(octets) - 1)[places] & _APID_BITS
        is_inside &= (chain.kinds[packets] != PACKET) | (tables.verdicts[apids] == _CRC)
    return int(packets[is_inside.argmax()]) if is_inside.any() else len(chain.kinds)


def _fit_rules(octets: Octets, places: Indices, apids: Array, tables: ApidTables) -> Flags:
    """Whether the rules allow the lengths that headers at these places declare."""
    fits = tables.max_octets[apids] > 0
    known = np.flatnonzero(fits)
    apids = apids[known]
    lengths = words(octets, 0, 1, len(octets) - 1)[places[known] + 4] + np.int64(SHORTEST)
    fits[known] = (lengths >= tables.min_octets[apids]) & (lengths <= tables.max_octets[apids])
    found: Flags = fits
    return found


def _good_crcs(octets: Octets, chain: Chain) -> int:
    """Return how many of the chain there are before the first CRC that does not hold."""
    rows = np.flatnonzero((chain.verdicts == _CRC) & (chain.kinds == PACKET))
    done, size = 0, _FIRST_CRCS
    while done < len(rows):  # A few first: behind a wrong one, all others were in vain.
        part = rows[done : done + size]
        is_all = len(part) == part[-1] - part[0] + 1
        taken = slice(int(part[0]), int(part[-1]) + 1) if is_all else part
        crcs = crc16_rows(octets, chain.starts[taken], chain.lengths[taken], Kernels.NUMPY)
        if (bad := first_false(crcs == 0)) < len(part):
            return int(part[bad])
        done, size = done + size, 4 * size
    return len(chain.kinds)


# --- numba ----------------------------------------------------------------------------------------


def _compiled_chain(octets: Octets, at: int, limit: int, tables: ApidTables) -> Chain:
    room = max(min(limit, (len(octets) - at) // SHORTEST), 0)
    types = (np.int64, np.int64, np.uint8, np.uint16, np.uint16, np.uint8)
    chain = Chain(*(np.empty(room, dtype) for dtype in types))
    count = compiled(_follow)(
        octets,
        at,
        tables.min_octets,
        tables.max_octets,
        tables.verdicts,
        tables.is_strong,
        tables.is_vague,
        tables.has_crc,
        crc_tables(),
        *chain,
    )
    return _cut(chain, count)


def _follow(  # noqa: C901 (numba compiles it as one function)
    octets: Octets,
    at: int,
    min_octets: Indices,
    max_octets: Indices,
    rule_verdicts: Octets,
    is_strong: Flags,
    is_vague: bool,
    has_crc: bool,
    tables: NDArray[np.uint64],
    starts: Indices,
    lengths: Indices,
    verdicts: Octets,
    apids: Words,
    counts: Words,
    kinds: Octets,
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
        if end > size or word >> 13:
            return count
        kind = PACKET
        if apid == 0x7FF:
            kind = IDLE
        elif word & 0x1000 or max_octets[apid] == 0:
            kind = OTHER
        if kind == PACKET:
            if length < min_octets[apid] or length > max_octets[apid]:
                return count
            if word < 0x100 and (not is_strong[apid] or (word | sequence == 0 and length == 7)):
                return count
        is_bare = kind == PACKET and rule_verdicts[apid] == 0
        if kind != PACKET:
            if word == 0:
                return count
            shifted = (word & 0xFF) << 8 | sequence >> 8
            may_begin = shifted & 0x7FF == 0x7FF or is_strong[shifted & 0x7FF]
            if word < 0x100 and shifted >> 13 == 0 and may_begin:
                return count
        if kind != PACKET or (has_crc and is_bare):
            # Does a packet of the stream begin inside? See `_first_with_packet_inside`.
            if end + 6 > size:
                return count
            inner = np.int64(octets[at])
            for place in range(at + 1, end):
                inner = (inner & 0xFF) << 8 | np.int64(octets[place])
                begin = place - 1
                if begin == at or inner & 0xF000:
                    continue
                inside = inner & 0x7FF
                if max_octets[inside] and (not is_bare or rule_verdicts[inside]):
                    inner_length = (
                        np.int64(octets[begin + 4]) << 8 | np.int64(octets[begin + 5])
                    ) + 7
                    if min_octets[inside] <= inner_length <= max_octets[inside]:
                        return count
            inner = (inner & 0xFF) << 8 | np.int64(octets[end])
            inside = inner & 0x7FF
            may_begin = max_octets[inside] and (not is_bare or rule_verdicts[inside])
            if inner & 0xF000 == 0 and may_begin:
                return count
        if kind == PACKET and rule_verdicts[apid]:
            at_octet, stop = np.uint64(at), np.uint64(end)
            crc = np.uint64(0xFFFF)
            while at_octet + eight <= stop:
                crc = (
                    tables[7, octets[at_octet] ^ (crc >> eight)]
                    ^ tables[6, octets[at_octet + one] ^ (crc & low)]
                    ^ tables[5, octets[at_octet + np.uint64(2)]]
                    ^ tables[4, octets[at_octet + np.uint64(3)]]
                    ^ tables[3, octets[at_octet + np.uint64(4)]]
                    ^ tables[2, octets[at_octet + np.uint64(5)]]
                    ^ tables[1, octets[at_octet + np.uint64(6)]]
                    ^ tables[0, octets[at_octet + np.uint64(7)]]
                )
                at_octet += eight
            while at_octet < stop:
                crc = ((crc << eight) & high) ^ tables[0, octets[at_octet] ^ (crc >> eight)]
                at_octet += one
            if crc:
                return count
        else:
            # Is a believable header behind it? See `Deframer._is_believable`.
            is_believed = False
            before, before_sequence, behind = word, sequence, end
            for depth in range(CHAIN_OF_STRANGERS, 0, -1):
                if behind + 6 > size:
                    break
                after = np.int64(octets[behind]) << 8 | np.int64(octets[behind + 1])
                after_sequence = np.int64(octets[behind + 2]) << 8 | np.int64(octets[behind + 3])
                after_length = (
                    np.int64(octets[behind + 4]) << 8 | np.int64(octets[behind + 5])
                ) + 7
                after_apid = after & 0x7FF
                if after >> 13 or (after | after_sequence == 0 and after_length == 7):
                    break
                is_next = after == before
                is_next &= (before_sequence + 1) & 0x3FFF == after_sequence & 0x3FFF
                fits = after < 0x1000
                fits &= min_octets[after_apid] <= after_length <= max_octets[after_apid]
                is_idle = after_apid == 0x7FF
                is_sure = is_next or (is_idle and not is_vague)
                if is_sure or (fits and is_strong[after_apid]):
                    is_believed = True
                    break
                if (is_vague and not (fits or is_idle)) or behind + after_length > size:
                    break
                if depth == 1:
                    is_believed = True
                before, before_sequence = after, after_sequence
                behind += after_length
            if not is_believed:
                return count
            # May a damaged length be behind it? See `Deframer._is_doubtful`.
            if kind == PACKET and length > DOUBTFUL_OCTETS and min_octets[apid] < max_octets[apid]:
                after = np.int64(octets[end]) << 8 | np.int64(octets[end + 1])
                after_sequence = np.int64(octets[end + 2]) << 8 | np.int64(octets[end + 3])
                if after != word or (sequence + 1) & 0x3FFF != after_sequence & 0x3FFF:
                    return count
        starts[count] = at
        lengths[count] = length
        verdicts[count] = rule_verdicts[apid] if kind == PACKET else 0
        apids[count] = apid
        counts[count] = sequence & 0x3FFF
        kinds[count] = kind
        at = int(end)
    return len(starts)
