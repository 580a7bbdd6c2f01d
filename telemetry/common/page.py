# SPDX-License-Identifier: Apache-2.0
"""One HTML page in one file: no font, script or picture is fetched, and no other script runs."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from telemetry.common.text import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page shows. `body` is HTML, in which every text has been through `escape`."""

    title: str
    body: str
    style: str = ""  # CSS beside that of all pages.
    scripts: Sequence[str] = ()  # JavaScript, run in this order behind the body.
    data: Sequence[tuple[str, Any]] = ()  # Identifiers, and what JSON can say, for the scripts.


def asset(package: str, name: str) -> str:
    """Return a text file of a package's `assets`."""
    return (files(package) / "assets" / name).read_text(encoding="utf-8")


def render_page(page: Page) -> str:
    """Return the page. Only its own scripts may run, known by their digests; nothing is fetched."""
    policy = "; ".join(
        (
            "default-src 'none'",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "script-src " + (" ".join(map(_digest, page.scripts)) or "'none'"),
        )
    )
    data = "".join(
        f'<script type="application/json" id="{escape(name)}">{script_json(value)}</script>\n'
        for name, value in page.data
    )
    scripts = "".join(f"<script>{script}</script>\n" for script in page.scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(page.title)}</title>\n"
        f"<style>\n{asset('telemetry.common', 'page.css')}{page.style}</style>\n</head>\n"
        f"<body>\n<main>\n{page.body}</main>\n{data}{scripts}</body>\n</html>\n"
    )


def script_json(value: Any) -> str:
    """Return JSON that may stand in a script element: it holds no `<`, so that nothing ends it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _digest(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
