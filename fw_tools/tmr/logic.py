# SPDX-License-Identifier: Apache-2.0
"""The operators of a design as assignments of one module, in the order in which they settle."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.tmr.design import Bit, Bits, Design, Operator
from fw_tools.tmr.operators import Pins, expression, fitted, width_of
from fw_tools.tmr.words import Names, Words, declaration, identifier, is_short


@dataclass(frozen=True, slots=True)
class Step:
    """An operator with its operands as they are written."""

    operator: Operator
    pins: Pins


def settle(design: Design, sinks: Iterable[Bits]) -> tuple[Step, ...]:
    """Return the operators behind `sinks`, each after those that it needs.

    Raises `InputError` for operators in a loop.
    """
    maker = {bit: each for each in design.operators for bit in each.output}
    order: list[Step] = []
    state: dict[int, bool] = {}  # Operator -> whether it is done.
    for sink in sinks:
        _walk(design, [maker[bit] for bit in sink if bit in maker], maker, state, order)
    return tuple(order)


def _walk(
    design: Design,
    roots: Sequence[Operator],
    maker: Mapping[Bit, Operator],
    state: dict[int, bool],
    order: list[Step],
) -> None:
    for root in roots:
        if id(root) in state:
            continue
        stack = [_entered(root, maker, state)]
        while stack:
            step, needed = stack[-1]
            following = next(needed, None)
            if following is None:
                stack.pop()
                state[id(step.operator)] = True
                order.append(step)
            elif id(following) not in state:
                stack.append(_entered(following, maker, state))
            elif not state[id(following)]:
                raise InputError(
                    f"{following.place}: {design.top}: logic in a loop; clock a signal of it"
                )


def _entered(
    operator: Operator, maker: Mapping[Bit, Operator], state: dict[int, bool]
) -> tuple[Step, Iterator[Operator]]:
    state[id(operator)] = False
    step = Step(operator, fitted(operator))
    return step, (maker[bit] for bits in step.pins.values() for bit in bits if bit in maker)


@dataclass(frozen=True, slots=True)
class Body:
    """Text of a module's logic."""

    declarations: list[str]
    assignments: list[str]
    words: list[tuple[str, Bits]]  # What was declared.


class LogicWriter:
    """Writes steps in one module."""

    def __init__(
        self, design: Design, words: Words, names: Names, outputs: Mapping[Bits, str]
    ) -> None:
        self._words = words
        self._names = names
        self._outputs = outputs  # Ports of the module that are a word.
        self._called = _Called(design)
        self._fresh = -1

    def write(self, steps: Sequence[Step], sinks: Sequence[Bits]) -> Body:
        """Return the text; what `sinks` and steps use is counted in the words."""
        used = Counter(bit for step in steps for pin in step.pins.values() for bit in pin)
        used.update(bit for sink in sinks for bit in sink)
        self._words.used.update(used)
        once = _used_whole_and_once(steps, sinks, used)
        behind = {step.pins["A"] for step in steps if step.operator.kind == "$mux"}
        body = Body([], [], [])
        for step in steps:
            text = expression(step.operator, step.pins, self._words)
            bits = self._widened(step)
            name = self._outputs.get(bits) or self._called.exactly(bits)
            is_choice = step.operator.kind == "$mux" and bits in behind and text.count("\n") < 12
            if not name and bits in once and (is_short(text) or is_choice):
                self._words.inline(bits, text)
                continue
            self._declare(body, step.operator, bits, text)
        return body

    def _widened(self, step: Step) -> Bits:
        bits = step.operator.output
        more = width_of(step.operator, step.pins) - len(bits)
        self._fresh -= more
        return bits + tuple(range(self._fresh + 1, self._fresh + 1 + more))

    def _declare(self, body: Body, operator: Operator, bits: Bits, text: str) -> None:
        name = self._outputs.get(bits, "")
        if not name:
            wanted = self._called.by(operator) or _by_place(operator)
            name = self._names.take(identifier(wanted))
            body.words.append((name, bits))
            body.declarations.append(f"{declaration(name, len(bits))};")
        self._words.declare(name, bits)
        body.assignments.extend(assignment(name, text, operator.place))


def assignment(name: str, text: str, place: str) -> list[str]:
    """Return `assign name = text;`, choices a line each below it."""
    first, *rest = text.split("\n")
    lines = [f"assign {name} = {first}", *(f"    {line}" for line in rest)]
    lines[-1] += ";"
    if place:
        lines[0] += f"  // {place}"
    return lines


def _used_whole_and_once(
    steps: Sequence[Step], sinks: Sequence[Bits], used: Counter[Bit]
) -> set[Bits]:
    """Return the words that one place needs, all of their bits in a row."""
    found = set()
    first = {step.operator.output[0]: step.operator.output for step in steps}
    for pin in (*(pin for step in steps for pin in step.pins.values()), *sinks):
        for start, bit in enumerate(pin):
            word = first.get(bit)
            if word and pin[start : start + len(word)] == word:
                found.add(word)
    return {word for word in found if all(used[bit] == 1 for bit in word)}


def _by_place(operator: Operator) -> str:
    line = operator.place.rpartition(":")[2]
    return f"{operator.kind.removeprefix('$')}_{line or 'of'}"


class _Called:
    """What the sources call a word."""

    def __init__(self, design: Design) -> None:
        names = sorted(design.signals, key=lambda name: (name.count("."), len(name), name))
        self._exact: dict[Bits, str] = {}
        self._within: dict[Bit, tuple[str, int]] = {}
        for name in names:
            self._exact.setdefault(design.signals[name], name)
            for index, bit in enumerate(design.signals[name]):
                self._within.setdefault(bit, (name, index))

    def exactly(self, bits: Bits) -> str:
        """Return the name of a word, or nothing."""
        return self._exact.get(bits, "")

    def by(self, operator: Operator) -> str:
        """Return the name of an operator's output, or of the slice that it is."""
        bits = operator.output
        if bits in self._exact:
            return self._exact[bits]
        name, low = self._within.get(bits[0], ("", 0))
        last = self._within.get(bits[-1])
        if name and last == (name, low + len(bits) - 1):
            return f"{name}[{last[1]}:{low}]" if len(bits) > 1 else f"{name}[{low}]"
        return ""
