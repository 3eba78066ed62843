"""A report that was saved as JSON, read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from gandoctor import __version__
from gandoctor.errors import InputError
from gandoctor.model.report import SCHEMA, SCHEMA_MANY, Report
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from pathlib import Path

# A report of a single run has 40 series of 2,000 points at most.
MOST_BYTES: Final = 64 << 20


def is_saved(path: Path) -> bool:
    """Whether a path is a report that was saved as JSON, and so is not judged anew."""
    return reports_of(path) is not None


def reports_of(path: Path) -> list[Report] | None:
    """The reports of a file that ``gandoctor analyze -o FILE.json`` wrote.

    None for any other path.
    """
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        with path.open("rb") as file:
            text = file.read(MOST_BYTES)
        if text.lstrip()[:1] != b"{" or b'"gandoctor.report' not in text:
            return None
        data = json.loads(text)
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema not in (SCHEMA, SCHEMA_MANY):
            what = f"is a report that cannot be read (schema {str(schema)[:40]!r})"
            raise InputError(what, path.name, f"save one with gandoctor {__version__}")
        reports = [
            Report.from_dict(r)
            for r in (data.get("runs") or () if schema == SCHEMA_MANY else (data,))
        ]
        if odd := next(
            (t for r in reports for t, s in r.series.items() if len(s.steps) != len(s.values)), None
        ):
            raise ValueError(f"the series {odd} has not as many values as steps")
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror or e})", str(path)) from None
    except (ValueError, TypeError, RecursionError) as e:
        hint = "save it again with 'gandoctor analyze RUN -o FILE.json'"
        raise InputError(
            f"is a saved report that is damaged ({w.plain(str(e))[:200]})", path.name, hint
        ) from None
    return reports
