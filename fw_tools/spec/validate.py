# SPDX-License-Identifier: Apache-2.0
"""One table of a file against its model: pydantic's errors in the words of the description."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fw_tools.spec.findings import Findings, nearest, suggestion
from fw_tools.spec.toml_source import KeyPath

_Model = TypeVar("_Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list in []",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def validate_table(
    model: type[_Model], values: object, path: KeyPath, where: str, findings: Findings
) -> _Model | None:
    """Return the checked table at `path`; or None, with every mistake in it in `findings`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        meant = {_meant(detail["loc"], model, values) for detail in unknown}
        for detail in details:
            if detail["type"] == "missing" and detail["loc"] in meant:
                continue  # It is there, misspelt.
            _add(detail, model, values, path, where, findings)
        return None


def _meant(loc: KeyPath, model: type[BaseModel], values: object) -> KeyPath:
    """Return the path of the key that an unknown key most likely means."""
    owner = _owner(model, _key_path(loc, values)[:-1])
    near = nearest(str(loc[-1]), owner.model_fields) if owner else None
    return (*loc[:-1], near or "")


def _add(
    detail: ErrorDetails,
    model: type[BaseModel],
    values: object,
    path: KeyPath,
    where: str,
    findings: Findings,
) -> None:
    inside = _key_path(detail["loc"], values)
    message, names_its_key = _message(detail, model, inside)
    label = _label(inside[:-1] if names_its_key else inside, values)
    findings.add((*path, *inside), ": ".join(part for part in (where, label) if part), message)


def _key_path(loc: KeyPath, values: object) -> KeyPath:
    """Return the part of pydantic's location that is a path of the file (not a union's member)."""
    path: list[str | int] = []
    for step in loc:
        inside = _step(values, step)
        if inside is None and not (step is loc[-1] and isinstance(values, dict)):
            break
        path.append(step)
        values = inside
    return tuple(path)


def _step(values: object, step: str | int) -> object:
    if isinstance(values, dict):
        return values.get(step)
    if isinstance(values, list) and isinstance(step, int) and step < len(values):
        return values[step]
    return None


def _label(path: KeyPath, values: object) -> str:
    """Return "pg.on", or "field core_state: source" for a key of a named item of a list."""
    parts = [""]
    for step in path:
        values = _step(values, step)
        if isinstance(step, str):
            parts[-1] += f".{step}" if parts[-1] else step
            continue
        named = values.get("name") if isinstance(values, dict) else None
        kind = parts[-1].removesuffix("s")
        parts[-1] = f"{kind} {named}" if isinstance(named, str) else f"{parts[-1]}[{step}]"
        parts.append("")
    return ": ".join(part for part in parts if part)


def _message(detail: ErrorDetails, model: type[BaseModel], path: KeyPath) -> tuple[str, bool]:
    """Return the message, and whether it names the key itself."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    owner = _owner(model, path[:-1])
    last = str(path[-1]) if path else ""
    if kind == "extra_forbidden" and owner:
        return f"unknown key {last!r}; {suggestion(last, owner.model_fields)}", True
    if kind == "missing" and owner:
        return f"missing key {last!r}; for example {example(last, owner.model_fields[last])}", True
    if kind == "value_error":
        return str(context["error"]), False
    if kind in ("greater_than_equal", "less_than_equal"):
        return _out_of_range(given, owner.model_fields[last] if owner else None), False
    if kind in ("too_short", "string_too_short"):
        return "is empty", False
    expected = _EXPECTED.get(kind, detail["msg"])
    return f"expected {expected}, got {toml(given)}", False


def _out_of_range(given: object, field: FieldInfo | None) -> str:
    bounds = {
        name: getattr(item, name)
        for item in (field.metadata if field else ())
        for name in ("ge", "le")
        if hasattr(item, name)
    }
    return f"{given} is out of range {bounds.get('ge')}..{bounds.get('le')}"


def _owner(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the model of the table at `path`, or None where it is no table of ours."""
    for step in path:
        if isinstance(step, int):
            continue
        field = model.model_fields.get(step)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)


def example(key: str, field: FieldInfo) -> str:
    """Return a line of TOML that gives `key` its documented example."""
    return f"{key} = {toml((field.examples or ['...'])[0])}"


def toml(value: object) -> str:
    """Return a value as it stands in a TOML file; long ones are cut."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {toml(item)}" for key, item in value.items())
        return _cut(f"{{ {inside} }}" if inside else "{}")
    if isinstance(value, list):
        return _cut(f"[{', '.join(toml(item) for item in value)}]")
    if isinstance(value, int | Decimal):
        return _cut(str(value))
    return _cut(f'"{value}"')


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
