"""The report as JSON: the contract that CI and other tools rely on (docs/architecture.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gandoctor.model.report import SCHEMA_MANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.comparison import Comparison
    from gandoctor.model.report import Report

NAME = "json"
SUFFIX = ".json"
_FIRST = ("schema", "version", "run", "verdict", "why_verdict")


def render(report: Report) -> str:
    """One report as JSON, indented; a series stays on one line. NaN and infinities are null.

    ASCII only: a tag with a lone surrogate or a bidi override survives every pipe, and misleads no
    reader of the file.
    """
    return _report(report, "") + "\n"


def render_many(reports: Sequence[Report]) -> str:
    """``{"schema": "gandoctor.reports/1", "runs": [...]}``."""
    runs = ",\n".join("    " + _report(r, "    ") for r in reports)
    body = f"[\n{runs}\n  ]" if runs else "[]"
    return f'{{\n  "schema": "{SCHEMA_MANY}",\n  "runs": {body}\n}}\n'


def render_comparison(c: Comparison) -> str:
    """A comparison: the value as it is, indented; a series stays on one line. ASCII only."""
    data = c.to_dict()
    curves = data.pop("curves")
    lines = ",\n".join(f"    {json.dumps(curve, allow_nan=False)}" for curve in curves)
    data["curves"] = []
    text = json.dumps(data, allow_nan=False, indent=2)
    end = '"curves": []\n}'
    return (text.removesuffix(end) + f'"curves": [\n{lines}\n  ]\n}}' if lines else text) + "\n"


def _report(report: Report, margin: str) -> str:
    data = report.to_dict()
    keys = [*_FIRST, *(k for k in data if k not in _FIRST)]
    lines = ",\n".join(
        f"{margin}  {_dumps(key)}: {_value(key, data[key], margin + '  ')}" for key in keys
    )
    return f"{{\n{lines}\n{margin}}}"


def _value(key: str, value: Any, margin: str) -> str:
    if key == "series" and value:
        rows = ",\n".join(
            f"{margin}  {_dumps(tag)}: {_dumps(series)}" for tag, series in value.items()
        )
        return f"{{\n{rows}\n{margin}}}"
    return _dumps(value, indent=2).replace("\n", "\n" + margin)


def _dumps(value: Any, indent: int | None = None) -> str:
    return json.dumps(
        value, allow_nan=False, indent=indent, separators=(",", ": ") if indent else None
    )
