# SPDX-License-Identifier: Apache-2.0
"""What a bench checks, in the words of its own docstrings."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fw_tools.sim.parsing import parse_source
from fw_tools.sim.removed_api import module_file


@dataclass(frozen=True, slots=True)
class Description:
    """The first sentences of a bench and of its tests; empty where it has no docstring."""

    purpose: str = ""
    tests: dict[str, str] = field(default_factory=dict)  # "module.test" -> first line

    def of_test(self, name: str) -> str:
        """Return the words for a test; "test/a=1", made by parametrisation, has those of "test"."""
        return self.tests.get(name) or self.tests.get(name.split("/")[0], "")


def describe(modules: Sequence[str], folders: Sequence[Path]) -> Description:
    """Read docstrings of test modules without importing these; the first one tells the purpose."""
    purposes: list[str] = []
    tests: dict[str, str] = {}
    for module in modules:
        tree = _parse(module_file(module, folders))
        purposes.append(_first_paragraph(ast.get_docstring(tree)))
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                words = _first_paragraph(ast.get_docstring(node))
                tests[f"{module}.{node.name}"] = words
    return Description(next(filter(None, purposes), ""), tests)


def _parse(path: Path | None) -> ast.Module:
    try:
        return parse_source(path.read_bytes() if path else b"")
    except (OSError, SyntaxError, ValueError):
        return parse_source(b"")


def _first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").split("\n\n")[0].split())
