"""The documents: links lead somewhere, every page is in the site, examples are true."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import gandoctor
from gandoctor.model.report import Report

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *ROOT.glob("*.md"),
    *DOCS.glob("*.md"),
    DOCS / "rules" / "index.md",
    ROOT / "sample_logs" / "README.md",
]
LINK = re.compile(r"(?<!`)\]\((?P<to>[^)\s]+)\)|^\[[^\]]+\]: (?P<ref>\S+)", re.MULTILINE)
FENCE = re.compile(r"^ *```(?P<info>[^\n]*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
NOTEBOOK = DOCS / "notebook.ipynb"


def anchors(page: Path) -> set[str]:
    """What a heading is reached by, as GitHub and mkdocs make it."""
    text = FENCE.sub("", page.read_text("utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for found in LINK.finditer(text):
        target, _, anchor = (found["to"] or found["ref"]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page.name}: {found[0]}"
        assert not anchor or anchor in anchors(there), f"{page.name}: {found[0]}"


def test_the_site_has_every_page() -> None:
    def listed(nav: Any) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        parts = nav.values() if isinstance(nav, dict) else nav
        return [page for part in parts for page in listed(part)]

    nav = listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    there = {p.name for p in DOCS.glob("*.md")} | {"rules/index.md"}
    assert sorted(nav) == sorted(there)
    assert {p for p in there if p not in ("index.md", "rules/index.md")} <= {
        (m["to"] or "").partition("#")[0] for m in LINK.finditer((DOCS / "index.md").read_text())
    }


def test_the_site_builds(tmp_path: Path) -> None:
    commands = pytest.importorskip("mkdocs.commands.build")
    config = pytest.importorskip("mkdocs.config")
    made = config.load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True)
    commands.build(made)
    assert (tmp_path / "logs" / "index.html").is_file()


LOGS = [
    (m["info"].split()[1], m["body"])
    for m in FENCE.finditer((DOCS / "logs.md").read_text("utf-8"))
    if len(m["info"].split()) == 2
]


@pytest.mark.parametrize(("name", "text"), LOGS, ids=[name for name, _ in LOGS])
def test_logs_as_the_guide_shows_them_are_read(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    report = gandoctor.analyze(tmp_path / name)
    assert {"d_loss", "g_loss"} <= {s.role for s in report.signals}
    assert len(LOGS) >= 4


def test_the_tests_that_the_threat_model_names_are_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", (DOCS / "threats.md").read_text("utf-8")))
    assert len(named) > 8
    assert {name for name in named if not (ROOT / "tests" / name).is_file()} == set()


def test_agents_are_told_fields_that_a_report_has() -> None:
    text = (DOCS / "agents.md").read_text("utf-8")
    told = re.search(r"## How to read the JSON\n(.*?)\n## ", text, re.DOTALL)
    assert told
    published = json.loads((DOCS / "report.schema.json").read_text("utf-8"))["$defs"]
    known = {field for kind in published.values() for field in kind["properties"]}
    words = {w for w in re.findall(r"`([a-z_]+)`", told[1]) if w not in VALUES}
    assert words - known - {"runs"} == set()


def test_commands_that_agents_are_told_run(sample_logs: Path, tmp_path: Path) -> None:
    text = (DOCS / "agents.md").read_text("utf-8")
    told = [m[1] for m in re.finditer(r"`gandoctor ([^`]+)`", text)]
    assert len(told) >= 8
    names = {"RUN": sample_logs / "d-dominance", "NEW_RUN": sample_logs / "healthy-hinge", "WORD": "fid",
             "runs/": sample_logs / "d-dominance"}  # fmt: skip
    for command in told:
        words = [str(names.get(word, word)) for word in command.split()]
        done = subprocess.run(
            [sys.executable, "-m", "gandoctor", *words],
            cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), (command, done.stderr)
        assert "--format md" not in command or 0 < len(done.stdout) <= 6_000


VALUES = {"failing", "warning", "healthy", "inconclusive", "safe", "trial", "advice"}


CONSOLE = re.compile(
    r"^````console\n\$ (?P<command>[^\n]+)\n(?P<said>.*?)^````$", re.MULTILINE | re.DOTALL
)
SHOWN = list(CONSOLE.finditer((DOCS / "pull-request.md").read_text("utf-8")))


def without_figures(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[0-9a-f]{32}|[\d.,]+|[▁▂▃▄▅▆▇█x]{9,}", "#", text))


@pytest.mark.parametrize("shown", SHOWN, ids=[m["command"] for m in SHOWN])
def test_what_a_pull_request_shows_is_what_is_printed(shown: re.Match[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *shown["command"].split()],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert without_figures(done.stdout + done.stderr) == without_figures(shown["said"])
    assert len(SHOWN) == 4


# ---------------------------------------------------------------- the notebook


def executed(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell as Jupyter would; its outputs."""
    tree, printed, last = ast.parse(source), io.StringIO(), None
    tail = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102
        if tail is not None:
            last = eval(compile(ast.Expression(tail.value), "<cell>", "eval"), names)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": printed.getvalue()})
    if last is not None:
        data = {"text/plain": repr(last)}
        if isinstance(last, Report):
            data["text/html"] = last._repr_html_()
        outputs.append({"data": data, "metadata": {}, "output_type": "display_data"})
    return outputs


def plain(outputs: list[dict[str, Any]]) -> str:
    said = [o.get("text") or o["data"]["text/plain"] for o in outputs]
    return without_figures("".join("".join(s) for s in said))


def test_the_notebook_runs_and_says_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GANDOCTOR_GOLD=write keeps what its cells say now."""
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    monkeypatch.chdir(DOCS)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            outputs = executed("".join(cell["source"]), names)
            if os.environ.get("GANDOCTOR_GOLD") == "write":
                cell["outputs"] = outputs
            assert plain(outputs) == plain(cell["outputs"])
    if os.environ.get("GANDOCTOR_GOLD") == "write":
        NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
