"""What makes a run start fast must not show.

The cache of the rule files, the compiled templates, plain options.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gandoctor import api, page, rule_cache, rulebook, vocabulary
from gandoctor.errors import RuleError
from gandoctor.lang.middle import median
from gandoctor.reporters import compiled, html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDERS = [rulebook.default_folder()]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the cache is going to be; nothing is known yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "home"))
    monkeypatch.delenv(rule_cache.OFF, raising=False)
    rule_cache.forget()
    yield tmp_path / "home" / "gandoctor" / "rules.cache"
    rule_cache.forget()


def loaded() -> tuple[Any, Any]:
    """The rule book and the vocabulary as a new process reads them."""
    rule_cache.forget()
    return rulebook.load(FOLDERS), vocabulary.load(FOLDERS)


def parsing_fails(*_: object, **__: object) -> object:
    pytest.fail("a rule file was parsed again")


def sealed(body: bytes) -> bytes:
    return rule_cache._head(body) + b"\n" + body


def rewritten(cache: Path, change: Callable[[Any], Any]) -> bytes:
    """The cache with something else in every line, and a checksum that fits."""
    lines = cache.read_bytes().partition(b"\n")[2].splitlines()
    return sealed(
        b"".join(
            key + b" " + json.dumps(change(json.loads(data))).encode() + b"\n"
            for key, _, data in (line.partition(b" ") for line in lines)
        )
    )


# ---------------------------------------------------------------- rule files


def test_what_is_kept_gives_the_same_rules_and_words(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rule_cache.OFF, "1")
    plain = loaded()
    assert not cache.exists()
    monkeypatch.delenv(rule_cache.OFF)
    assert loaded() == plain
    assert cache.is_file()
    monkeypatch.setattr(page, "_parsed", parsing_fails)
    again = loaded()
    assert again == plain
    # Kinds of numbers and orders of keys too, which == does not tell.
    assert repr(again) == repr(plain)


def test_a_healthy_run_and_then_a_failing_one_fill_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rulebook.load(FOLDERS, rules_only=True)
    small = cache.stat().st_size
    loaded()
    assert cache.stat().st_size > small
    monkeypatch.setattr(page, "_parsed", parsing_fails)
    loaded()


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda c: c.read_bytes()[:-100],
    "cut off in its first line": lambda c: c.read_bytes()[:20],
    "a byte changed": lambda c: c.read_bytes().replace(b"d_loss", b"g_loss", 1),
    "other JSON": lambda _: b'{"rules": []}',
    "of another version": lambda c: c.read_bytes().replace(
        b"gandoctor rules 1 ", b"gandoctor rules 1 9", 1
    ),
    "no lines": lambda _: sealed(b""),
    "odd lines": lambda _: sealed(b"\n\n \n\x00 \xff\nx y z\n"),
    "lists": lambda c: rewritten(c, lambda _: []),
    "nothing": lambda c: rewritten(c, lambda _: None),
    "texts": lambda c: rewritten(c, lambda _: "rules"),
    "keys without values": lambda c: rewritten(c, dict.fromkeys),
    "keys of another kind": lambda c: rewritten(c, lambda d: {key: [[1]] for key in d}),
    "keys that mean nothing": lambda c: rewritten(c, lambda d: {**d, "evil": 1}),
    "no JSON, sealed": lambda c: sealed(
        b"".join(li.partition(b" ")[0] + b" {]\n" for li in c.read_bytes().splitlines()[1:])
    ),
    "a tower of brackets": lambda c: sealed(
        b"".join(
            li.partition(b" ")[0] + b" " + b"[" * 5000 + b"\n"
            for li in c.read_bytes().splitlines()[1:20]
        )
    ),
}


@pytest.mark.parametrize("damage", HOSTILE)
def test_a_damaged_cache_changes_nothing_and_is_written_anew(cache: Path, damage: str) -> None:
    plain = loaded()
    cache.write_bytes(HOSTILE[damage](cache))
    assert loaded() == plain


@pytest.mark.parametrize(
    "damage", ["empty", "cut off", "a byte changed", "other JSON", "of another version"]
)
def test_a_cache_that_is_not_whole_is_written_anew(
    cache: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded()
    cache.write_bytes(HOSTILE[damage](cache))
    loaded()
    monkeypatch.setattr(page, "_parsed", parsing_fails)
    loaded()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no such owners here")
@pytest.mark.parametrize("whose", ["link", "group", "folder", "owner"])
def test_a_cache_that_others_could_have_written_is_ignored(
    cache: Path, whose: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded()
    # Valid in all but whose it is: the rule is called otherwise in it, which is what would be seen.
    cache.write_bytes(
        rewritten(
            cache,
            lambda d: {**d, "title": "not ours"} if "title" in d and isinstance(d, dict) else d,
        )
    )
    rule_cache.forget()
    # Or else this test tells nothing.
    assert {r.title for r in rulebook.load(FOLDERS).rules} == {"not ours"}
    if whose == "link":
        cache.rename(tmp_path / "elsewhere")
        cache.symlink_to(tmp_path / "elsewhere")
    elif whose == "owner":
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    else:
        (cache if whose == "group" else cache.parent).chmod(0o770)
    rule_cache.forget()
    assert "not ours" not in {r.title for r in rulebook.load(FOLDERS).rules}


@pytest.mark.parametrize("home", ["a file", "no folder", "relative", "none"])
def test_a_home_that_cannot_be_written_is_no_error(
    cache: Path, home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    places = {
        "a file": str(tmp_path / "file"),
        "no folder": "/dev/null/x",
        "relative": "cache",
        "none": "",
    }
    monkeypatch.setenv("XDG_CACHE_HOME", places[home])
    monkeypatch.setenv("LOCALAPPDATA", places[home])
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.chdir(tmp_path)
    loaded()
    assert not cache.exists()
    assert not (tmp_path / "cache").exists()


def test_two_processes_at_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from gandoctor import rulebook as r; print(len(r.load([r.default_folder()]).rules))"
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {p.communicate()[0].strip() for p in both}
    assert said == {str(len(loaded()[0].rules))}
    assert [p.name for p in cache.parent.iterdir()] == [cache.name]
    monkeypatch.setattr(page, "_parsed", parsing_fails)
    loaded()


def test_only_files_of_ours_are_kept(cache: Path, tmp_path: Path) -> None:
    own = tmp_path / "own" / "symptoms"
    own.mkdir(parents=True)
    text = (FOLDERS[0] / "symptoms" / "nan-in-loss.yaml").read_text("utf-8")
    (own / "mine.yaml").write_text(text.replace("nan-in-loss", "mine", 1) + "# mine\n", "utf-8")
    book = rulebook.load([*FOLDERS, own.parent])
    assert "mine" in book.by_id
    assert (
        hashlib.sha256((own / "mine.yaml").read_bytes()).hexdigest().encode()
        not in cache.read_bytes()
    )
    (own / "mine.yaml").write_text("id: mine\nid: mine\n", "utf-8")
    rule_cache.forget()
    with pytest.raises(RuleError, match="stands twice"):
        rulebook.load([*FOLDERS, own.parent])


def test_what_json_would_change_is_not_kept() -> None:
    for data in ({1: "x"}, {"a": (1, 2)}, {"a": {1, 2}}, {True: 1}, {"a": b"x"}):
        assert rule_cache._line(data) == rule_cache._UNLIKE
    for data in ({"b": 1, "a": 1.0}, {"a": float("inf")}, {"a": ["\ud800", None, True]}):
        assert repr(json.loads(rule_cache._line(data))) == repr(data)


# ---------------------------------------------------------------- templates


def test_every_template_is_compiled_and_current() -> None:
    for name in html.environment().list_templates():
        ready = compiled._ready(name.partition(".")[0])
        assert ready["MADE_FROM"] == compiled._sum(
            Path(html.__file__).parent / "templates" / name
        ), "run python -m gandoctor.reporters.compiled"


def test_compiled_templates_say_what_their_sources_say(
    sample_logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = api.analyze_all(sample_logs / "d-dominance") + api.analyze_all(
        sample_logs / "healthy-hinge"
    )
    ready = html.render(reports[0]), html.render_many(reports)
    html.environment.cache_clear()
    monkeypatch.setattr(compiled, "_LINE", "9.9")  # of a jinja2 that nothing was compiled for
    monkeypatch.setattr(compiled, "_ready", lambda name: {"JINJA": "3.1", "MADE_FROM": name})
    try:
        assert (html.render(reports[0]), html.render_many(reports)) == ready
    finally:
        html.environment.cache_clear()


def test_a_template_that_was_changed_is_read_itself(tmp_path: Path) -> None:
    (tmp_path / "page.html.j2").write_text("{{ 1 + 1 }}", "utf-8")
    environment = jinja2.Environment(loader=compiled.Loader(tmp_path))  # noqa: S701
    assert environment.get_template("page.html.j2").render() == "2"


# ---------------------------------------------------------------- the median

NUMBERS = st.floats(width=64) | st.sampled_from(
    [0.0, -0.0, float("nan"), float("inf"), float("-inf"), 1e308, -1e308]
)


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=NUMBERS))
def test_the_median_is_that_of_numpy_to_the_bit(rows: Any) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for mine, theirs in (
            (median(rows), np.median(rows)),
            (median(rows, axis=1), np.median(rows, axis=1)),
        ):
            assert np.array_equal(mine, theirs, equal_nan=True)
            assert np.array_equal(np.signbit(mine), np.signbit(theirs)) or np.isnan(theirs).any()


@given(arrays(np.int64, st.integers(1, 9), elements=st.integers(-(2**62), 2**62)))
def test_the_median_of_whole_numbers_is_that_of_numpy(row: Any) -> None:
    assert median(row) == np.median(row)


# ---------------------------------------------------------------- what is loaded


def test_an_analysis_loads_nothing_it_does_not_need(sample_logs: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for log in (sample_logs / "d-dominance").rglob("*tfevents*"):
        shutil.copy(log, tmp_path / "run")
    argv = ["gandoctor", "analyze", str(tmp_path / "run"), "-o", str(tmp_path / "r.html"), "-q"]
    idle = (
        "pydantic", "rich", "asyncio", "email", "importlib.metadata", "yaml", "tomllib", "pandas",
        "scipy",
        "gandoctor.reporters.comparison", "gandoctor.configs.yaml_edits",
    )  # fmt: skip
    code = (
        f"import sys; sys.argv = {argv!r}\nfrom gandoctor import cli\ntry: cli.main()\nexcept "
        "SystemExit: pass\n"
        f"print('loaded:', [m for m in {idle!r} if m in sys.modules])"
    )
    for _ in range(2):  # the first time, the rules are parsed
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
        )
    assert done.stdout.strip() == "loaded: []"
    assert (tmp_path / "r.html").stat().st_size > 10_000
