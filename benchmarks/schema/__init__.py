"""The JSON Schema of saved reports, made from the values that they are saved from.

``python -m benchmarks.schema`` writes ``docs/report.schema.json``.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
import typing
from typing import Any, Final

from gandoctor.model import report as model
from gandoctor.model import roles
from gandoctor.model.comparison import Comparison
from gandoctor.model.report import SCHEMA_MANY, Report

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Final = {str: "string", bool: "boolean", int: "integer"}
# Left out where there is nothing to tell: see `Report.to_dict`.
_OPTIONAL: Final = {"Report": ("probe", "trials")}
_ATTRIBUTES: Final = re.compile(
    r"\n\s*Attributes\n\s*-+\n(?P<body>.*?)(?:\n\n\s*\w+\n\s*-+\n|$)", re.DOTALL
)


def schema() -> str:
    """The schema as JSON text: of one report, of several, and of a comparison."""
    definitions: dict[str, Any] = {}
    report, comparison = (_of(kind, definitions) for kind in (Report, Comparison))
    several = {
        "type": "object",
        "required": ["schema", "runs"],
        "properties": {
            "schema": {"const": SCHEMA_MANY},
            "runs": {"type": "array", "items": report},
        },
    }
    whole = {
        "$schema": DRAFT,
        "title": "What gandoctor saves with -o FILE.json",
        "description": "Fields may be added under the same version, so unknown ones are to be "
        "passed over; one that goes or changes its meaning makes a new version in `schema`.",
        "oneOf": [report, several, comparison],
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(whole, indent=2) + "\n"


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """What JSON holds of a value of this type."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is float:  # NaN and infinities are null
        return {"type": ["number", "null"]}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if kind is types.NoneType:
        return {"type": "null"}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(k, definitions) for k in args]}
    if origin is typing.Literal:
        return {"enum": list(args)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(args[1], definitions)}
    if origin is tuple:
        if args[-1] is Ellipsis:
            return {"type": "array", "items": _of(args[0], definitions)}
        parts = [_of(k, definitions) for k in args]
        return {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts)}
    if not dataclasses.is_dataclass(kind):
        msg = f"no JSON is known for {kind}"
        raise TypeError(msg)
    return _defined(kind, definitions)


def _defined(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # it may hold itself
        # Some names stand in the type checker's imports alone.
        hints, said = (
            typing.get_type_hints(kind, localns={**vars(roles), **vars(model)}),
            _said(kind),
        )
        fields = dataclasses.fields(kind)
        quiet = {f.name for f in fields if "quiet" in f.metadata} | {*_OPTIONAL.get(name, ())}
        properties = {}
        for f in fields:
            one = {"const": f.default} if f.name == "schema" else _of(hints[f.name], definitions)
            properties[f.name] = one | ({"description": said[f.name]} if f.name in said else {})
        definitions[name] = {
            "type": "object",
            "description": " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split()),
            "required": [f.name for f in fields if f.name not in quiet],
            "properties": properties,
        }
    return {"$ref": f"#/$defs/{name}"}


def _said(kind: type) -> dict[str, str]:
    """What the docstring says of each attribute."""
    found = _ATTRIBUTES.search(inspect.getdoc(kind) or "")
    said: dict[str, str] = {}
    names: list[str] = []
    for line in found["body"].splitlines() if found else ():
        if line[:1].strip():
            names = [n.strip() for n in line.partition(" : ")[0].split(",")]
        for name in names if line[:1] == " " else ():
            said[name] = f"{said.get(name, '')} {line.strip()}".strip()
    return {name: text.replace("``", "`") for name, text in said.items()}
