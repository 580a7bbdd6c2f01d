# SPDX-License-Identifier: Apache-2.0
"""Python sources to syntax trees, one at a time."""

import ast
from threading import Lock

_LOCK = Lock()


def parse_source(source: str | bytes) -> ast.Module:
    """Return the tree of a source; raises what `ast.parse` does.

    CPython 3.11 counts the depth of a tree for all threads at once: of two that parse at a time one
    may die of a "recursion depth mismatch".
    """
    with _LOCK:
        return ast.parse(source)
