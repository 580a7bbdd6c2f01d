# SPDX-License-Identifier: Apache-2.0
"""What a flash holds against what it was to hold."""

from fw_tools.errors import VerificationError


def require_equal(address: int, wanted: bytes, found: bytes, way_out: str = "") -> None:
    """Raise `VerificationError` with the first place at which they differ, and how many do.

    `address` is that of the first octet; `way_out` is what helps besides flashing again.
    """
    if found == wanted:
        return
    wrong = [at for at, pair in enumerate(zip(wanted, found, strict=True)) if pair[0] != pair[1]]
    at, more = wrong[0], len(wrong) - 1
    also = f", and {more:,} more of {len(wanted):,} octets differ" if more else ""
    raise VerificationError(
        f"the flash holds {found[at]:#04x} at {address + at:#x}, which was to be "
        f"{wanted[at]:#04x}{also}. Flash it again; if the place stays the same, the chip is worn "
        f"or damaged there{way_out}"
    )
