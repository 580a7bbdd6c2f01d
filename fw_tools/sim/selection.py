# SPDX-License-Identifier: Apache-2.0
"""Which benches a pattern can concern, told before they are built."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from fw_tools.sim.parsing import parse_source
from fw_tools.sim.removed_api import module_file

# With one of these in a module, the names of its tests are known only when it runs.
_DYNAMIC = ("parametrize", "TestFactory", "import *", "name=", "setattr(", "globals(")


def may_hold(pattern: str, modules: Sequence[str], folders: Sequence[Path]) -> bool:
    """Tell whether a test "module.test" in which `pattern` is found may exist.

    False is certain: every name in the modules is known and none fits.
    """
    return any(_module_may_hold(pattern, module, folders) for module in modules)


def _module_may_hold(pattern: str, module: str, folders: Sequence[Path]) -> bool:
    path = module_file(module, folders)
    try:
        text = path.read_text() if path else ""
        names = list(_bound_names(parse_source(text)))
    except (OSError, SyntaxError, ValueError):
        return True  # Running it tells what is wrong with it.
    if path is None or any(word in text for word in _DYNAMIC):
        return True
    return any(re.search(pattern, f"{module}.{name}") for name in names)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
