"""Write ``docs/report.schema.json``."""

from __future__ import annotations

from pathlib import Path

from benchmarks.schema import schema

(Path(__file__).resolve().parents[2] / "docs" / "report.schema.json").write_text(schema(), "utf-8")
