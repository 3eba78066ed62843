"""The published schema of saved reports: made from the values, and true of every sample report."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import report_examples as examples

import gandoctor
from benchmarks.schema import schema
from gandoctor.reporters import json as as_json

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "report.schema.json"


def test_what_is_published_is_what_is_saved() -> None:
    """After a change of `gandoctor.model`: python -m benchmarks.schema."""
    assert PUBLISHED.read_text("utf-8") == schema()


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    published = json.loads(PUBLISHED.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    return jsonschema.Draft202012Validator(published)


@pytest.mark.parametrize("name", examples.ALL)
def test_every_example_follows_it(name: str, validator: Any) -> None:
    validator.validate(json.loads(as_json.render(examples.ALL[name]())))


def test_reports_of_runs_several_and_compared_follow_it(sample_logs: Path, validator: Any) -> None:
    runs = sorted(p for p in sample_logs.iterdir() if p.is_dir())
    reports = [gandoctor.analyze(run) for run in runs]
    for report in reports:
        validator.validate(json.loads(report.to_json()))
    validator.validate(json.loads(as_json.render_many(reports)))
    validator.validate(json.loads(as_json.render_many([])))
    validator.validate(json.loads(as_json.render_comparison(reports[0].compare(reports[-1]))))


def test_it_would_notice(validator: Any) -> None:
    good = json.loads(as_json.render(examples.dominance()))
    assert validator.is_valid({**good, "something_new": 1})  # fields may be added
    for broken in (
        {**good, "verdict": "great"},
        {**good, "schema": "gandoctor.report/2"},
        {k: v for k, v in good.items() if k != "diagnoses"},
        {**good, "run": {**good["run"], "first_step": "0"}},
    ):
        assert not validator.is_valid(broken)
    deep = copy.deepcopy(good)
    deep["findings"][0]["evidence"][0]["truth"] = "maybe"
    assert not validator.is_valid(deep)
