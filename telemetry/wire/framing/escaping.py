# SPDX-License-Identifier: Apache-2.0
"""Octets that stand for others behind an escape octet, as SLIP and KISS have them."""

import re
from collections.abc import Mapping
from typing import Final


class Escaping:
    """`escape` and a code stand for the octet that `codes` gives the code.

    One of these octets must be `escape` itself.
    """

    def __init__(self, *, escape: int, codes: Mapping[int, int]) -> None:
        self._escape: Final = bytes((escape,))
        meanings = {bytes((code,)): bytes((octet,)) for code, octet in codes.items()}
        # The escape octet comes last in `undo` and first in `apply`, or it would be taken twice.
        self._pairs: Final = sorted(
            ((self._escape + code, octet) for code, octet in meanings.items()),
            key=lambda pair: pair[1] == self._escape,
        )
        known = b"".join(re.escape(code) for code in meanings)
        self._wrong: Final = re.compile(
            re.escape(self._escape) + b"(?![" + known + b"])", re.DOTALL
        )
        self._any: Final = re.compile(re.escape(self._escape) + b"(.?)", re.DOTALL)
        self._meanings: Final = meanings

    def undo(self, content: bytes) -> tuple[bytes, str]:
        """Return the octets that `content` stands for, and what is wrong with it ("" if nothing).

        A wrong escape octet is left out; the octet behind it stays.
        """
        if self._escape not in content:
            return content, ""
        wrong = self._wrong.search(content)
        if wrong is None:
            for pair, octet in self._pairs:
                content = content.replace(pair, octet)
            return content, ""
        octets = self._any.sub(lambda match: self._meanings.get(match[1], match[1]), content)
        return octets, self._complaint(content, wrong.start() + 1)

    def _complaint(self, content: bytes, behind: int) -> str:
        if behind == len(content):
            return "an escape octet with nothing behind it"
        return f"an escape octet before 0x{content[behind]:02x}, which has no meaning there"

    def apply(self, octets: bytes) -> bytes:
        """Return `octets` with an escape for each octet that needs one."""
        for pair, octet in reversed(self._pairs):
            octets = octets.replace(octet, pair)
        return octets
