"""The object that a notebook holds: logs from memory, reports that show and save themselves."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import report_examples as examples

import gandoctor
from gandoctor import api
from gandoctor.errors import GandoctorError, UsageError
from gandoctor.model.report import Report

DICE = np.random.default_rng(0)
LOSSES = {
    "d_loss": (1.38 + 0.02 * DICE.normal(size=300)).tolist(),
    "g_loss": (0.7 + 0.02 * DICE.normal(size=300)).tolist(),
}


class Frame:
    """As polars gives its columns: no mapping, and `to_list`."""

    columns = tuple(LOSSES)

    def __getitem__(self, name: str) -> Any:
        return SimpleNamespace(to_list=lambda: LOSSES[name], __iter__=None)


def history() -> Any:
    return SimpleNamespace(history=LOSSES, epoch=list(range(300)))


FORMS = {
    "dict": lambda: LOSSES,
    "arrays": lambda: {k: np.array(v, dtype=np.float32) for k, v in LOSSES.items()},
    "pandas": lambda: pd.DataFrame(LOSSES),
    "polars": Frame,
    "keras": history,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_log_in_memory_is_judged_as_its_file(form: str, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(json.dumps(LOSSES))
    want, got = gandoctor.analyze(file), gandoctor.analyze(FORMS[form]())
    assert got.verdict == want.verdict
    assert got.p_failing == pytest.approx(want.p_failing, abs=0.02)
    assert [(s.tag, s.role, s.points) for s in got.signals] == [
        (s.tag, s.role, s.points) for s in want.signals
    ]


def test_what_is_known_better_is_said_in_the_call() -> None:
    data = {"loss_a": LOSSES["d_loss"], "loss_b": LOSSES["g_loss"], "epoch": list(range(300))}
    got = gandoctor.analyze(data, loss="hinge", map={"d_loss": "loss_a", "g_loss": "loss_b"})
    assert got.run.objective.family == "hinge"
    assert {s.tag: s.role for s in got.signals if s.tag in data} == {
        "loss_a": "d_loss", "loss_b": "g_loss",
    }  # fmt: skip


def test_a_log_in_memory_may_have_any_names_and_faults_name_no_file_of_ours() -> None:
    data = {"foo": LOSSES["d_loss"], "bar": LOSSES["g_loss"]}
    assert {x.tag for x in gandoctor.analyze(data).unmapped} == {"foo", "bar"}
    got = gandoctor.analyze(data, map={"d_loss": "foo", "g_loss": "bar"})
    assert {s.role for s in got.signals} >= {"d_loss", "g_loss"}
    with pytest.raises(GandoctorError) as e:
        gandoctor.analyze({"step": [1, 2, 3]})
    assert str(e.value).startswith("the log that was given: no numbers")


@pytest.mark.parametrize("data", [5, [1, 2], {"a": 1}, {}, object(), {"a": "text"}, b"x"])
def test_what_is_no_log_is_said(data: object) -> None:
    with pytest.raises(GandoctorError):
        gandoctor.analyze(data)


def test_a_report_says_itself_in_a_line() -> None:
    line = repr(examples.dominance())
    assert line.startswith("<Report dcgan-celeba-64: failing, 94 %")
    assert len(line) < 200


class Strict(HTMLParser):
    """Notes what is opened and never closed, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", [examples.dominance, examples.healthy, examples.hostile])
def test_the_card_loads_and_runs_nothing(make: Any) -> None:
    report = make()
    page = Strict()
    card = report._repr_html_()
    page.feed(card)
    assert not page.open
    assert page.tags <= {"div", "p", "b", "br", "code", "ul", "li", "pre"}
    assert page.attributes <= {"style"}
    assert report.verdict in card


def test_a_report_is_saved_in_the_format_of_its_suffix(tmp_path: Path) -> None:
    report = examples.dominance()
    assert report.save(tmp_path / "a.html").read_text("utf-8") == report.to_html()
    assert report.save(tmp_path / "a.md").read_text("utf-8") == report.to_markdown()
    again = json.loads(report.save(tmp_path / "a.json").read_text("utf-8"))
    assert Report.from_dict(again) == Report.from_dict(json.loads(report.to_json()))
    with pytest.raises(UsageError):
        report.save(tmp_path / "a.docx")


def test_one_value_is_no_series() -> None:
    with pytest.raises(UsageError, match="no series in it has two numbers"):
        api.analyze({"d_loss": [1.3], "g_loss": [None]})


def test_the_series_as_a_frame() -> None:
    report = examples.dominance()
    long = report.to_pandas()
    assert list(long.columns) == ["tag", "role", "network", "step", "value"]
    assert len(long) == sum(len(s.steps) for s in report.series.values())
    wide = report.to_pandas(wide=True)
    assert set(wide.columns) == {t for t, s in report.series.items() if any(
        v is not None for v in s.values)}  # fmt: skip
    assert wide.index.is_monotonic_increasing
    empty = dataclasses.replace(report, series={})
    assert empty.to_pandas().empty


def test_the_rest_of_what_a_notebook_asks(sample_logs: Path) -> None:
    sick, well = (gandoctor.analyze(sample_logs / n) for n in ("d-dominance", "healthy-hinge"))
    assert sick.patch().startswith("--- a/config.yaml")
    assert well.patch() == ""
    assert (gandoctor.check(sick), gandoctor.check([well])) == (False, True)
    assert gandoctor.check([sick, well], fail_on="never")
    assert sick.compare(well).answer == "better"
    assert set(gandoctor.__all__) == set(dir(gandoctor))


def with_examples() -> list[str]:
    home = Path(gandoctor.__file__).parent
    files = [f for f in home.rglob("*.py") if "\n    >>> " in f.read_text("utf-8")]
    return sorted(".".join(f.relative_to(home.parent).with_suffix("").parts) for f in files)


@pytest.mark.parametrize("name", with_examples())
def test_examples_of_the_docstrings_hold(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name.removesuffix(".__init__")))
    assert tried
    assert failed == 0


def test_what_a_notebook_uses_first_has_examples() -> None:
    for what in (api.analyze, api.check, api.read, Report.patch, Report.compare, Report.to_pandas):
        assert ">>> " in (what.__doc__ or ""), what
