"""What gandoctor itself wrote lies beside logs, and is neither one of them nor a config."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gandoctor import api, parsers
from gandoctor import compare as comparing
from gandoctor.api import Options
from gandoctor.errors import InputError
from gandoctor.reporters import by_name, render, render_comparison

ALONE = Options(use_preferences=False)


def saved(folder: Path) -> dict[str, str]:
    """Every kind of report that we write as JSON, made of the run of a folder."""
    report = api.analyze_all(folder, ALONE)[0]
    change, _ = comparing.run(folder, folder, ALONE)
    one = render(by_name("json"), [report])
    return {
        "one": one,
        "many": render(by_name("json"), [report, report]),
        "comparison": render_comparison(by_name("json"), change),
        "one line": json.dumps(json.loads(one)),
        "sorted": "\ufeff" + json.dumps(json.loads(one), sort_keys=True, indent=4),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_run(tmp_path)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return saved(a_run(tmp_path_factory.mktemp("run")))


def a_run(folder: Path) -> Path:
    r = np.random.default_rng(3)
    rows = (
        {"step": i, "d_loss": 1.38 + 0.05 * r.normal(), "g_loss": 0.7 + 0.05 * r.normal()}
        for i in range(80)
    )
    (folder / "log.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "samples").mkdir()
    np.save(folder / "samples" / "step_40.npy", r.random((16, 8, 8, 3)).astype(np.float32))
    return folder


@pytest.mark.parametrize(
    "name", ["r.json", "config.json", "train-log-report.json", "log_config.json", "options.json"]
)
@pytest.mark.parametrize("kind", ["one", "many", "comparison", "one line", "sorted"])
def test_a_report_beside_a_log_changes_nothing(
    folder: Path, texts: dict[str, str], name: str, kind: str
) -> None:
    def read() -> list[str]:
        runs = [*parsers.discover(folder), *parsers.discover(folder / "log.json")]
        return [repr((r.settings, r.sources, r.notes, r.pictures, len(r.signals))) for r in runs]

    before = read()
    (folder / name).write_text(texts[kind])
    assert read() == before
    (folder / "configs").mkdir()
    (folder / name).rename(folder / "configs" / name)
    assert read() == before


@pytest.mark.parametrize("name", ["r.json", "config.json", "log_config.json"])
def test_one_that_is_named_is_told(folder: Path, texts: dict[str, str], name: str) -> None:
    for text in texts.values():
        (folder / name).write_text(text)
        assert not parsers.is_log(folder / name)
        with pytest.raises(InputError, match="is a report that gandoctor wrote"):
            parsers.discover(folder / name)
        run = parsers.discover(folder / "log.json", configs=[folder / name])[0]
        assert not run.settings
        assert any("is a report that gandoctor wrote" in (s.lost or "") for s in run.sources)


def test_many_reports_hide_no_log(folder: Path) -> None:
    text = saved(folder)["one"]
    for i in range(60):
        (folder / f"a{i:02}.json").write_text(text)
    assert [s.path for s in parsers.discover(folder)[0].sources] == ["log.json"]


def test_a_config_that_only_speaks_of_reports_is_one(folder: Path) -> None:
    (folder / "config.json").write_text(
        '{"lr_d": 0.1, "lr_g": 0.2, "about": "schema of gandoctor.report/1"}'
    )
    assert len(parsers.discover(folder)[0].settings) == 3
