# SPDX-License-Identifier: Apache-2.0
"""Values of registers and fields: numbers, and their names where they have any."""

from difflib import get_close_matches

from fw_tools.board.description import FieldDescription, ParameterDescription
from fw_tools.errors import UsageError

WORD_MAX = 0xFFFFFFFF


def field_value(field: FieldDescription | None, word: int) -> int:
    """Return a field of a register's word, or the word itself."""
    return word if field is None else (word & field.mask) >> field.low


def with_field(name: str, field: FieldDescription | None, word: int, value: int | str) -> int:
    """Return the word with `value` in the field, or as a whole. Raises `UsageError`."""
    number = _number(name, field, value)
    most = WORD_MAX if field is None else field.mask >> field.low
    if not 0 <= number <= most:
        raise UsageError(f"{name}: {number} does not fit; expected 0 to {most:#x}")
    if field is not None:
        _require_value(name, field, number)
    return number if field is None else word & ~field.mask | number << field.low


def require_word(register: ParameterDescription, word: int) -> None:
    """Raise `UsageError` for a word with bits of no field, or a value that a field has not."""
    mask = sum(field.mask for field in register.fields)
    if register.fields and word & ~mask:
        raise UsageError(f"{register.name}: {word:#x} has bits of no field; it has {mask:#x}")
    for field in register.fields:
        _require_value(f"{register.name}.{field.name}", field, field_value(field, word))


def _require_value(name: str, field: FieldDescription, number: int) -> None:
    if field.values and number not in field.values.values():
        known = ", ".join(f"{each} ({known:#x})" for each, known in field.values.items())
        raise UsageError(f"{name}: {number} is none of its values: {known}")


def value_text(field: FieldDescription | None, value: int) -> str:
    """Return a value for people: with its name where it has one."""
    names = {} if field is None else {number: name for name, number in field.values.items()}
    return f"{names[value]} ({value:#x})" if value in names else f"{value} ({value:#x})"


def register_text(register: ParameterDescription, word: int) -> str:
    """Return a register for people, field by field."""
    fields = [
        f"{field.name}={value_text(field, field_value(field, word))}" for field in register.fields
    ]
    return f"{word:#010x}" + (f"  {', '.join(fields)}" if fields else "")


def _number(name: str, field: FieldDescription | None, value: int | str) -> int:
    if isinstance(value, int):
        return value
    names = field.values if field else {}
    if value in names:
        return names[value]
    try:
        return int(value, 0)
    except ValueError:
        near = get_close_matches(value, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else ", ".join(("a number", *names))
        raise UsageError(f"{name}: no value {value!r}; {hint}") from None
