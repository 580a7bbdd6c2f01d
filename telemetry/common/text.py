# SPDX-License-Identifier: Apache-2.0
"""Text that came from space, on its way to people."""

import html


def printable(text: str) -> str:
    """Return `text` with control characters as escapes: it must not steer a terminal.

    Characters that turn the direction of writing, and lone surrogates, are escaped, too.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape(value: object) -> str:
    """Return a value as text of an HTML page, in an element or a quoted attribute."""
    return html.escape(printable(str(value)), quote=True)


def count(number: int, noun: str) -> str:
    """Return `1 packet`, `2,000 packets`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
