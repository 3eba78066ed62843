"""A folder of runs as pages, and which setting separates the failing from the healthy ones."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import report_examples as examples
from test_reporters import CHROMIUM, browse

from gandoctor.model.report import SettingNote
from gandoctor.reporters import folder, separating

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.report import Report


def named(report: Report, path: str, **settings: str) -> Report:
    notes = tuple(SettingNote(k, v, k, "config.yaml", 1) for k, v in settings.items())
    run = dataclasses.replace(report.run, name=path, path=path)
    return dataclasses.replace(report, run=run, settings=notes)


def test_every_run_has_a_page_and_every_link_leads_to_one() -> None:
    nasty = ["a/b", "a-b", "A-B", "../../up", "<b>x</b>", "\u202eevil", ".hidden", "", "x" * 300]
    makes = (examples.dominance, examples.healthy, examples.inconclusive)
    reports = [named(makes[i % 3](), name) for i, name in enumerate(nasty)]
    pages = dict(folder.pages(reports))
    assert len(pages) == len(reports) + 1
    assert len({name.lower() for name in pages}) == len(pages)
    assert all(re.fullmatch(r"index\.html|runs/[A-Za-z0-9_][\w.-]*\.html", p) for p in pages)
    index = pages["index.html"]
    links = re.findall(r'<td><a href="([^"]+)"', index)
    assert set(links) == set(pages) - {"index.html"}
    assert "<b>x</b>" not in index
    assert "\u202e" not in index
    for name, text in pages.items():
        assert ('href="../index.html"' in text) == (name != "index.html")
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_the_worst_stand_first() -> None:
    reports = [named(examples.healthy(), "well"), named(examples.dominance(), "sick")]
    index = dict(folder.pages(reports))["index.html"]
    assert index.index(">sick<") < index.index(">well<")


def sweep(rates: list[float], failing_from: float, **more: str) -> list[Report]:
    return [
        named(
            examples.dominance() if rate >= failing_from else examples.healthy(), f"run{i}",
            lr_d=repr(rate), **more,
        )
        for i, rate in enumerate(rates)
    ]  # fmt: skip


def test_the_setting_that_separates_is_found_and_the_others_are_not_told() -> None:
    rates = [1e-4, 2e-4, 3e-4, 4e-4, 5e-3, 6e-3, 7e-3, 8e-3] * 2
    reports = [
        dataclasses.replace(r, settings=(*r.settings, SettingNote("seed", str(i % 5), "seed", "", 0)))
        for i, r in enumerate(sweep(rates, 1e-3))
    ]  # fmt: skip
    first, *others = separating.splits(reports)
    assert (first.setting, first.below, first.above) == (
        "lr_d", "lr_d up to 0.0004", "lr_d from 0.005",
    )  # fmt: skip
    assert (first.failing_below.k, first.failing_above.k) == (0, 8)
    assert first.told
    assert not any(s.told for s in others)


def test_of_few_runs_or_of_one_verdict_nothing_is_said() -> None:
    assert separating.splits(sweep([1e-4, 1e-4, 5e-3, 5e-3], 1e-3)) == []
    assert separating.splits(sweep([1e-4] * 8, 1e-3)) == []


def test_words_are_told_apart_too() -> None:
    sick = [named(examples.dominance(), f"s{i}", optimizer_d="sgd") for i in range(5)]
    well = [named(examples.healthy(), f"w{i}", optimizer_d="adam") for i in range(5)]
    (split,) = separating.splits([*sick, *well])
    assert {split.failing_below.k, split.failing_above.k} == {0, 5}
    assert "optimizer_d is" in split.above


@pytest.mark.parametrize("target", ["out/", "there"])
def test_the_command_writes_a_folder(sample_logs: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "there").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", "analyze", sample_logs / "healthy-hinge",
         sample_logs / "d-dominance", "-o", target],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "index.html" in done.stdout
    assert len(list((tmp_path / target / "runs").iterdir())) == 2


def test_a_link_is_not_followed(sample_logs: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").symlink_to(tmp_path / "elsewhere")
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", "analyze", sample_logs / "healthy-hinge", "-o", "out/"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is a link" in done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


FILTER = """<script>
const button = [...document.querySelectorAll(".find button")].find((b) => b.textContent === "failing");
button.click();
const failing = document.querySelector("[data-count]").textContent;
document.querySelector("input").value = "two";
document.querySelector("input").dispatchEvent(new Event("input"));
const both = document.querySelector("[data-count]").textContent;
button.click();
document.querySelectorAll("button.sort")[0].click();
const names = [...document.querySelectorAll("tbody a")].map((a) => a.textContent);
document.title = "RESULT" + [failing, both, ...names].join(",") + "END";
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_index_is_filtered_searched_and_sorted(tmp_path: Path) -> None:
    runs = [("b-one", examples.dominance()), ("c-two", examples.dominance())]
    every = [named(report, name) for name, report in (*runs, ("a-two", examples.healthy()))]
    index = dict(folder.pages(every))["index.html"]
    page = tmp_path / "index.html"
    loose = re.sub(r'<meta http-equiv="Content[^>]*>', "", index)
    page.write_text(loose.replace("</body>", FILTER + "</body>"), encoding="utf-8")
    document, complaints, asked = browse(page, tmp_path)
    assert complaints == []
    assert asked == set()
    told = re.search("RESULT(.*?)END", document)
    assert told is not None
    assert told[1] == "2 of 3,1 of 3,a-two,b-one,c-two"
