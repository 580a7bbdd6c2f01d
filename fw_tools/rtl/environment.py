# SPDX-License-Identifier: Apache-2.0
"""What a world around a part of a payload is, for a campaign of upsets."""

from dataclasses import dataclass

from fw_tools.rtl.emit import GeneratedFile

INSTANCE = "u_dut"  # Of the part, in its world.


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A part in its world; times are in clocks."""

    file: GeneratedFile
    module: str
    stimulus: str  # In words.
    clocks: int  # In which something happens.
    horizon: int  # Until a flip has been answered, if it is.
    hang_after: int
