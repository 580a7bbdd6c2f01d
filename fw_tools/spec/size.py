# SPDX-License-Identifier: Apache-2.0
"""What a payload of profile small has room for."""

from fw_tools.spec.draft import Draft
from fw_tools.spec.profiles import Profile

MAX_READ_ONLY = 32  # Registers.
MAX_READ_WRITE = 16  # Every payload has two, `control` and `command`.
_ALWAYS = 7  # magic, format, model_digest, status, control_upsets, time_seconds, time_fraction
_WITH_RAILS = 2  # first_fault, state_upsets
_BITMAPS = 4  # One bit a rail.
_PER_MEMORY = 3
_RAILS_PER_BITMAP, _RAILS_PER_STATE_WORD = 32, 4


def read_only_registers(rails: int, memories: int, packets: int) -> int:
    """Return how many registers software can only read."""
    of_rails = 0
    if rails:
        bitmaps = _BITMAPS * -(-rails // _RAILS_PER_BITMAP)
        of_rails = _WITH_RAILS + bitmaps + -(-rails // _RAILS_PER_STATE_WORD)
    return _ALWAYS + of_rails + _PER_MEMORY * memories + packets


def check_size(draft: Draft) -> None:
    """Add what is too large for the profile of the board."""
    if draft.profile is Profile.FULL:
        return
    rails, memories, packets = len(draft.rails), len(draft.memories), len(draft.packets)
    count = read_only_registers(rails, memories, packets)
    if count > MAX_READ_ONLY:
        message = (
            f"'small' has room for {MAX_READ_ONLY} read-only registers; {rails} rails, "
            f"{memories} memories and {packets} packets have {count}"
        )
        draft.findings.add(("board", "profile"), "board: profile", message)
