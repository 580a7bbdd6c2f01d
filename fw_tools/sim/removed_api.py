# SPDX-License-Identifier: Apache-2.0
"""Names in a bench that cocotb 2 no longer has, with their new spelling.

Names after cocotb's guide "Upgrading to cocotb 2.0"; each was looked for in cocotb 2.1.0 and not
found there. What is only deprecated still works and is left to cocotb's own warnings.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fw_tools.sim.parsing import parse_source

_LOGIC_ARRAY = "cocotb.types.LogicArray"
_ASYNC = "async def with await"
_BUS = "the package cocotb-bus (pip install cocotb-bus)"

# Dotted name -> what to write. A module stands for everything below it.
REMOVED_NAMES = {
    "cocotb.fork": "cocotb.start_soon",
    "cocotb.coroutine": _ASYNC,
    "cocotb.function": "cocotb.task.resume",
    "cocotb.external": "cocotb.task.bridge",
    "cocotb.hook": "code at the top of the test module",
    "cocotb.LANGUAGE": 'os.environ["TOPLEVEL_LANG"]',
    "cocotb.ANSI": "no colours, or a colour library",
    "cocotb.decorators.coroutine": _ASYNC,
    "cocotb.decorators": "the same name in cocotb or cocotb.task",
    "cocotb.binary.BinaryValue": _LOGIC_ARRAY,
    "cocotb.binary.BinaryRepresentation": "LogicArray.from_signed or .from_unsigned",
    "cocotb.binary": "cocotb.types",
    "cocotb.outcomes": "await task, or task.result()",
    "cocotb.scheduler": "cocotb.start_soon",
    "cocotb.runner": "cocotb_tools.runner",
    "cocotb.config": "cocotb_tools.config",
    "cocotb.log.SimLog": "logging.getLogger",
    "cocotb.xunit_reporter": "the results file",
    "cocotb.bus": _BUS,
    "cocotb.drivers": _BUS,
    "cocotb.monitors": _BUS,
    "cocotb.scoreboard": _BUS,
    "cocotb.generators": "itertools",
    "cocotb.result.TestFailure": "assert CONDITION, MESSAGE",
    "cocotb.result.TestError": "an exception of your own",
    "cocotb.result.ReturnValue": "return VALUE in an async def",
    "cocotb.result.TestComplete": "return from the test",
    "cocotb.result.ExternalException": "the exception itself",
    "cocotb.result.raise_error": "raise",
    "cocotb.result.create_error": "raise",
    "cocotb.utils.hexdump": "bytes.hex",
    "cocotb.utils.hexdiffs": "an assert, which shows both sides",
    "cocotb.utils.pack": "bytes",
    "cocotb.utils.unpack": "int.from_bytes",
    "cocotb.utils.reject_remaining_kwargs": "keyword-only arguments",
    "cocotb.triggers.PythonTrigger": "cocotb.triggers.Trigger",
    "cocotb.types.concat": "LogicArray([*a, *b])",
    "cocotb.task.RunningTask": "cocotb.task.Task",
    "cocotb.handle.ModifiableObject": "cocotb.handle.ValueObjectBase",
    "cocotb.handle.NonConstantObject": "cocotb.handle.ValueObjectBase",
    "cocotb.handle.ConstantObject": "cocotb.handle.ValueObjectBase with is_const",
    "cocotb.handle.NonHierarchyObject": "cocotb.handle.ValueObjectBase",
    "cocotb.handle.NonHierarchyIndexableObject": "cocotb.handle.ArrayObject",
    "cocotb.handle.RegionObject": "cocotb.handle.HierarchyObject",
}

# Attributes of `SIGNAL.value`. The first three are gone for one-bit signals only, whose value is
# now a Logic.
REMOVED_OF_VALUE = {
    "integer": "int(SIGNAL.value)",
    "signed_integer": "SIGNAL.value.to_signed()",
    "binstr": "str(SIGNAL.value)",
    "n_bits": "len(SIGNAL)",
    "get_value": "SIGNAL.value.to_unsigned()",
    "get_value_signed": "SIGNAL.value.to_signed()",
    "get_binstr": "str(SIGNAL.value)",
    "get_buff": "SIGNAL.value.to_bytes(byteorder=...)",
    "assign": "SIGNAL.value = VALUE",
    "big_endian": "to_bytes(byteorder=...)",
}

# Attributes that only handles had.
REMOVED_OF_HANDLE = {
    "_setcachedvalue": "SIGNAL.value = VALUE",
    "_fullname": "._path",
}


@dataclass(frozen=True, slots=True)
class RemovedUse:
    """One use of a removed name."""

    file: Path
    line: int
    removed: str
    replacement: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: cocotb 2 removed {self.removed}; write {self.replacement}"


def removed_uses(modules: Sequence[str], folders: Sequence[Path]) -> tuple[RemovedUse, ...]:
    """Return the uses in test modules, and in what they import, that are found below `folders`.

    A file that is no Python says nothing here: importing it tells more.
    """
    found: list[RemovedUse] = []
    waiting = list(modules)
    seen: set[Path] = set()
    while waiting:
        path = module_file(waiting.pop(), folders)
        if path is None or path in seen:
            continue
        seen.add(path)
        try:
            tree = parse_source(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        found += _Scan(path, tree).uses()
        waiting += _imported(tree)
    return tuple(sorted(found, key=lambda use: (use.file, use.line, use.removed)))


class _Scan:
    """The removed names in one file."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._path = path
        self._tree = tree
        self._names = dict(_bound_names(tree))  # Name in the file -> dotted name in cocotb.
        self._assigned = frozenset(self._assigned_handles())

    def uses(self) -> Iterator[RemovedUse]:
        """Yield every removed name once, the longest that is known."""
        inner: set[ast.AST] = set()  # Parts of a chain that was told as a whole.
        for node in ast.walk(self._tree):
            for removed, replacement in () if node in inner else self._removed(node):
                yield RemovedUse(self._path, getattr(node, "lineno", 1), removed, replacement)
                if isinstance(node, ast.Attribute):
                    inner.update(ast.walk(node))

    def _removed(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for _, dotted in _bindings(node):
                yield from _known(dotted)
        elif isinstance(node, ast.Attribute):
            yield from self._of_attribute(node)
        elif isinstance(node, ast.Expr) and _is_old_assignment(node.value):
            yield "SIGNAL <= VALUE", "SIGNAL.value = VALUE"
        elif isinstance(node, ast.FunctionDef) and any(map(self._is_test, node.decorator_list)):
            yield f"tests that are generators ({node.name})", _ASYNC

    def _of_attribute(self, node: ast.Attribute) -> Iterator[tuple[str, str]]:
        name = node.attr
        if node in self._assigned:
            yield f"{ast.unparse(node)} = VALUE", f"{ast.unparse(node)}.value = VALUE"
        elif dotted := self._dotted(node):
            yield from _known(dotted)
        elif isinstance(node.value, ast.Attribute) and node.value.attr == "value":
            if name in REMOVED_OF_VALUE:
                yield f".value.{name}", REMOVED_OF_VALUE[name]
        elif name in REMOVED_OF_HANDLE:
            yield f".{name}", REMOVED_OF_HANDLE[name]

    def _dotted(self, node: ast.expr) -> str:
        """Return the name in cocotb that an expression means, or ""."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, "")
        if isinstance(node, ast.Attribute) and (base := self._dotted(node.value)):
            return f"{base}.{node.attr}"
        return ""

    def _assigned_handles(self) -> Iterator[ast.AST]:
        """Yield what tests assign to below their first parameter, which is the design."""
        for test in ast.walk(self._tree):
            if not isinstance(test, ast.AsyncFunctionDef) or not test.args.args:
                continue
            if any(map(self._is_test, test.decorator_list)):
                design = test.args.args[0].arg
                yield from (node for node in ast.walk(test) if _is_old_write(node, design))

    def _is_test(self, decorator: ast.expr) -> bool:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        return self._dotted(called) == "cocotb.test"


def _known(dotted: str) -> Iterator[tuple[str, str]]:
    parts = dotted.split(".")
    for length in range(len(parts), 1, -1):
        name = ".".join(parts[:length])
        if name in REMOVED_NAMES:
            yield name, REMOVED_NAMES[name]
            return


def _is_old_assignment(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) and [type(each) for each in node.ops] == [ast.LtE]


def _is_old_write(node: ast.AST, design: str) -> bool:
    """Tell whether a node is DESIGN.SIGNAL, or a signal further down, as it is assigned to."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Store):
        return False
    below: ast.expr = node
    while isinstance(below, ast.Attribute | ast.Subscript):
        if isinstance(below, ast.Attribute) and (below.attr == "value" or below.attr[0] == "_"):
            return False
        below = below.value
    return isinstance(below, ast.Name) and below.id == design


def _bound_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _bindings(node)


def _bindings(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Yield (name in the file, dotted name) of an import from cocotb."""
    for alias in node.names:
        module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        dotted = f"{module}{alias.name}"
        if dotted.split(".")[0] != "cocotb":
            continue
        if isinstance(node, ast.Import) and not alias.asname:
            yield "cocotb", "cocotb"
            if "." in dotted:
                yield "", dotted  # Bound to no name of its own, but imported.
        else:
            yield alias.asname or alias.name, dotted


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_file(module: str, folders: Sequence[Path]) -> Path | None:
    """Return the file of a dotted module name, or None when no folder has it."""
    relative = Path(*module.split("."))
    for folder in folders:
        for path in (folder / relative.with_suffix(".py"), folder / relative / "__init__.py"):
            if path.is_file():
                return path
    return None
