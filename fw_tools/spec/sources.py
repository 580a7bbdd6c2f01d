# SPDX-License-Identifier: Apache-2.0
"""What a housekeeping field can carry: the sources of a payload and the bits of each."""

from collections.abc import Iterable

INPUT_PREFIX = "input."  # A port of the design; the field says how many bits it has.
INPUT_BITS = (8, 16, 24, 32)
MAX_BITMAP_RAILS = 32

BITMAP_SOURCES = ("rails.enabled", "rails.on", "rails.faulted", "rails.late")  # Bit N: Nth rail.

_FIXED = {
    "time.seconds": 32,  # Since reset.
    "rails.first_fault_rail": 8,  # Place in the description, from 0; 255 = none.
    "rails.first_fault_cause": 8,
    "rails.upsets_corrected": 16,
    "rails.upsets_uncorrectable": 16,
    "rails.halted": 8,  # 1 = waits for clear_faults.
}
_OF_RAIL = {"state": 8}
_OF_MEMORY = {
    "corrected": 16,
    "uncorrectable": 16,
    "stuck": 16,
    "scrub_passes": 16,
    "last_error_address": 16,
}


def has_names(source: str) -> bool:
    """Return whether values of `source` are an enumeration, for which numbers mean nothing."""
    is_state = source.startswith("rail.") and source.endswith(".state")
    return is_state or source in ("rails.first_fault_rail", "rails.first_fault_cause")


def bitmap_bits(rail_count: int) -> int:
    """Return the width of a rail bitmap: 8, 16, 24 or 32 bits. `ValueError` beyond 32 rails."""
    if rail_count > MAX_BITMAP_RAILS:
        raise ValueError(f"{rail_count} rails do not fit in a bitmap of {MAX_BITMAP_RAILS} bits")
    return max(8, -(-rail_count // 8) * 8)


def known_sources(rails: Iterable[str], memories: Iterable[str]) -> dict[str, int]:
    """Return every source that a payload has, except its inputs, with its width in bits.

    Rail bitmaps of more than 32 rails are given as 32 bits; `checks` refuses their use.
    """
    rails = list(rails)
    bits = bitmap_bits(min(len(rails), MAX_BITMAP_RAILS))
    table = _FIXED | dict.fromkeys(BITMAP_SOURCES, bits)
    table |= {f"rail.{rail}.{key}": bits for rail in rails for key, bits in _OF_RAIL.items()}
    return table | {
        f"memory.{memory}.{key}": bits for memory in memories for key, bits in _OF_MEMORY.items()
    }
