# SPDX-License-Identifier: Apache-2.0
"""One operator of Yosys as an expression of SystemVerilog, every operand at its full width.

An expression widens its operands to the widest of them and to its target. Here all of them are cut
or extended beforehand, so that no context changes what is meant (and no linter has to wonder).
"""

from collections.abc import Callable

from fw_tools.tmr.design import Bits, Operator
from fw_tools.tmr.words import Words

_MODULAR = {
    "$add": "+",
    "$sub": "-",
    "$mul": "*",
    "$and": "&",
    "$or": "|",
    "$xor": "^",
    "$xnor": "~^",
}
_COMPARED = {
    "$lt": "<",
    "$le": "<=",
    "$eq": "==",
    "$ne": "!=",
    "$eqx": "==",
    "$nex": "!=",
    "$ge": ">=",
    "$gt": ">",
}
_REDUCED = {
    "$reduce_and": "&",
    "$reduce_or": "|",
    "$reduce_xor": "^",
    "$reduce_xnor": "~^",
    "$reduce_bool": "|",
}
_UNARY = {"$not": "~", "$neg": "-"}
_DIVIDED = {"$div": "/", "$mod": "%"}
_SHIFTS = frozenset({"$shl", "$sshl", "$shr", "$sshr", "$shiftx"})

Pins = dict[str, Bits]


def fitted(operator: Operator) -> Pins:
    """Return the operands of an operator, cut or extended to the width at which it works."""
    pins = dict(operator.inputs)
    width = len(operator.output)
    kind = operator.kind
    if kind in _COMPARED or kind in _DIVIDED:
        width = max(len(pins["A"]), len(pins["B"]), width if kind in _DIVIDED else 1)
    if kind in _MODULAR or kind in _COMPARED or kind in _DIVIDED:
        return {pin: _extend(bits, width, operator.is_signed) for pin, bits in pins.items()}
    if kind in _UNARY:
        return {"A": _extend(pins["A"], width, operator.is_signed)}
    if kind in _SHIFTS:
        if kind not in ("$shl", "$sshl"):
            width = max(width, len(pins["A"]))
        pins["A"] = _extend(pins["A"], width, operator.is_signed)
    return pins


def _extend(bits: Bits, width: int, is_signed: bool) -> Bits:
    filler = bits[-1] if is_signed else "0"
    return bits[:width] + (filler,) * (width - len(bits))


def expression(operator: Operator, pins: Pins, words: Words) -> str:
    """Return the expression, as wide as the operator works (`width_of`)."""
    return _WRITERS.get(operator.kind, _plain)(operator, pins, words)


def width_of(operator: Operator, pins: Pins) -> int:
    """Return how wide `expression` is; the operator's output are its low bits."""
    if operator.kind in _DIVIDED or operator.kind in _SHIFTS:
        return len(pins["A"])
    return len(operator.output)


def _plain(operator: Operator, pins: Pins, words: Words) -> str:
    kind = operator.kind
    if kind in _UNARY:
        return f"{_UNARY[kind]}{words.operand(pins['A'])}"
    if kind in _REDUCED:
        return _truth(pins["A"], _REDUCED[kind], words)
    symbol = (_MODULAR | _COMPARED | _DIVIDED)[kind]
    first, second = words.operand(pins["A"]), words.operand(pins["B"])
    if operator.is_signed and kind in (_COMPARED | _DIVIDED) and kind not in ("$eq", "$ne"):
        first, second = f"signed'({first})", f"signed'({second})"
        if kind in _DIVIDED:
            return f"unsigned'({first} {symbol} {second})"
    return f"{first} {symbol} {second}"


def _truth(bits: Bits, symbol: str, words: Words) -> str:
    if len(bits) == 1:
        return f"~{words.operand(bits)}" if symbol.startswith("~") else words.text(bits)
    return f"{symbol}{words.operand(bits)}"


def _logic_not(_: Operator, pins: Pins, words: Words) -> str:
    bits = pins["A"]
    operand = words.operand(bits)
    return f"!{operand}" if len(bits) == 1 else f"{operand} == {len(bits)}'d0"


def _logic(operator: Operator, pins: Pins, words: Words) -> str:
    symbol = "&&" if operator.kind == "$logic_and" else "||"
    sides = [
        words.operand(bits) if len(bits) == 1 else f"(|{words.operand(bits)})"
        for bits in (pins["A"], pins["B"])
    ]
    return f"{sides[0]} {symbol} {sides[1]}"


def _mux(_: Operator, pins: Pins, words: Words) -> str:
    rest = words.text(pins["A"])
    return f"{words.operand(pins['S'])} ? {words.operand(pins['B'])} : {_behind(rest)}"


def _behind(text: str) -> str:
    """Return the rest of a chain of choices, a line each."""
    return f"\n{text}" if "?" in text and not text.startswith("{") else text


def _parallel_mux(_: Operator, pins: Pins, words: Words) -> str:
    width = len(pins["A"])
    lines = [
        f"{words.operand((select,))} ? {words.operand(pins['B'][i * width : (i + 1) * width])}"
        for i, select in enumerate(pins["S"])
    ]
    return " :\n".join((*lines, _operand_of_choice(words, pins["A"])))


def _operand_of_choice(words: Words, bits: Bits) -> str:
    text = words.text(bits)
    return text if "?" not in text else f"({text})"


def _bitwise_mux(_: Operator, pins: Pins, words: Words) -> str:
    choice = words.operand(pins["S"])
    return f"({words.operand(pins['A'])} & ~{choice}) | ({words.operand(pins['B'])} & {choice})"


def _shift(operator: Operator, pins: Pins, words: Words) -> str:
    value, by = words.operand(pins["A"]), words.operand(pins["B"])
    if operator.kind in ("$shl", "$sshl"):
        return f"{value} << {by}"
    if operator.kind == "$sshr" and operator.is_signed:
        return f"unsigned'(signed'({value}) >>> {by})"
    return f"{value} >> {by}"


_WRITERS: dict[str, Callable[[Operator, Pins, Words], str]] = {
    "$logic_not": _logic_not,
    "$logic_and": _logic,
    "$logic_or": _logic,
    "$mux": _mux,
    "$bwmux": _bitwise_mux,
    "$pmux": _parallel_mux,
    **dict.fromkeys(_SHIFTS, _shift),
}
