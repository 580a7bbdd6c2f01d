# SPDX-License-Identifier: Apache-2.0
"""What the description says about a protected memory."""

from dataclasses import dataclass

MIN_DATA_BITS = 4
MAX_DATA_BITS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySpec:
    """One ECC-protected memory."""

    name: str
    data_bits: int  # MIN_DATA_BITS..MAX_DATA_BITS
    words: int  # 2..65,536
    code: str  # "hsiao": SEC-DED, minimum-weight balanced columns
    scrub_interval_us: int  # Time between the scrub of one word and of the next.
