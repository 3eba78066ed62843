"""The laws, each a function of a run that says what broke it; an empty string where it held."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.laws.written import STYLES, WRITERS, log, write_tensorboard
from gandoctor import api, rulebook
from gandoctor.model.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

PARTS: Final = (0.3, 0.6)  # of a healthy run that are looked at alone
BEFORE: Final = 0.6  # of the steps up to the first symptom
LATE: Final = 100  # a symptom that was there at the first looks leaves no healthy part


@dataclass(frozen=True, slots=True)
class Case:
    """A run and what became of it.

    Attributes
    ----------
    home : Path
        Its folder.
    healthy : bool
        Whether it was measured to be.
    steps : float
        How long it ran.
    onset : float or None
        Step of its first symptom; None where it has none or nobody dated it.
    """

    home: Path
    healthy: bool
    steps: float
    onset: float | None


@cache
def report(home: Path) -> Report:
    """What is said of the run as it is."""
    return api.analyze(home)


def leading(got: Report) -> str:
    """Symptom of the first diagnosis."""
    return got.diagnoses[0].symptoms[0] if got.diagnoses else ""


def rules(got: Report) -> set[str]:
    """Rules that found something."""
    return {f.rule for f in got.findings}


def _same(got: Report, want: Report, *, all_rules: bool = True) -> str:
    """What differs between two reports in verdict, first symptom and, if asked for, rules."""
    pairs: list[tuple[object, object]] = [
        (got.verdict, want.verdict), (leading(got), leading(want)),
    ]  # fmt: skip
    if all_rules:
        pairs.append((sorted(rules(got)), sorted(rules(want))))
    return "; ".join(f"{a} instead of {b}" for a, b in pairs if a != b)


def _unordered(got: Report) -> dict[str, object]:
    """A report without the order and the names of the files that it was read from."""
    plain = got.to_dict()
    del plain["run"]["sources"], plain["run"]["name"]
    for note in plain["signals"]:
        del note["source"]
    plain["signals"].sort(key=lambda note: note["tag"])
    plain["unmapped"].sort(key=lambda note: note["tag"])
    return plain


def _differ(got: Report, want: Report) -> str:
    a, b = _unordered(got), _unordered(want)
    return "; ".join(f"{key} differs" for key in a if a[key] != b.get(key))


# ---------------------------------------------------------------- laws


def thinner_logging_says_the_same(case: Case, scratch: Path) -> str:
    """Half of the points tell the same."""
    got = log(case.home).each(lambda s, v: (s[::2], v[::2])).write(scratch / case.home.name)
    return _same(api.analyze(got), report(case.home), all_rules=False)


def the_order_of_columns_means_nothing(case: Case, scratch: Path) -> str:
    """Columns from last to first."""
    one = log(case.home)
    other = replace(one, series=dict(reversed(list(one.series.items()))))
    return _differ(
        api.analyze(other.write(scratch / "other" / case.home.name)),
        api.analyze(one.write(scratch / "one" / case.home.name)),
    )


def the_order_of_files_means_nothing(case: Case, scratch: Path) -> str:
    """D's series in one event file and the rest in another, and the other way round."""
    one = log(case.home)
    own = ("d_", "grad_norm_d")
    of_d = {t: p for t, p in one.series.items() if one.roles.get(t, "").startswith(own)}
    parts = [of_d, {t: points for t, points in one.series.items() if t not in of_d}]
    got = []
    for label, order in (("one", parts), ("other", parts[::-1])):
        folder = scratch / label / case.home.name
        replace(one, series=order[0]).write(folder, "tensorboard")
        write_tensorboard(order[1], folder, start=1_700_005_000)
        got.append(api.analyze(folder))
    return _differ(*got) or _same(got[0], report(case.home))


def names_are_but_names(case: Case, scratch: Path) -> str:
    """The same series under the names of three kinds of code base."""
    told = {
        style: api.analyze(log(case.home).renamed(style).write(scratch / style / case.home.name))
        for style in STYLES
    }
    wrong = {style: _same(got, report(case.home)) for style, got in told.items()}
    return "; ".join(f"{style}: {text}" for style, text in wrong.items() if text)


def unrelated_signals_change_nothing(case: Case, scratch: Path) -> str:
    """Series of the machine and of nobody knows what beside the others."""
    one = log(case.home)
    steps = max((s for s, _ in one.series.values()), key=len)
    dice = np.random.default_rng(0)
    more = {
        "time/seconds_per_step": dice.uniform(0.1, 0.2, len(steps)),
        "system/gpu_memory_mb": np.full(len(steps), 5120.0),
        "weights/conv1_norm": np.cumsum(dice.normal(size=len(steps))),
        "my_number": dice.normal(scale=1e6, size=len(steps)),
    }
    series = {**{k: (steps, v) for k, v in more.items()}, **one.series}
    got = api.analyze(replace(one, series=series).write(scratch / case.home.name))
    return _same(got, report(case.home))


def _counts_steps(rule: str) -> bool:
    """Whether a rule looks at a window, or asks for a run, of a fixed number of steps."""
    return rule in _that_count_steps()


@cache
def _that_count_steps() -> frozenset[str]:
    book = rulebook.load([rulebook.default_folder()])
    return frozenset(
        name
        for name, rule in book.by_id.items()
        if any("step" in c.over.text or "epoch" in c.over.text for c in rule.clauses)
    )


def the_unit_of_the_step_axis_means_nothing(case: Case, scratch: Path) -> str:
    """Ten times the steps: all but the rules that count them say the same."""
    one = replace(log(case.home).each(lambda s, v: (10 * s, v)), stretch=10)
    got, want = api.analyze(one.write(scratch / case.home.name)), report(case.home)
    free = [sorted(r for r in rules(x) if not _counts_steps(r)) for x in (got, want)]
    pairs: list[tuple[object, object]] = [(got.verdict, want.verdict), (free[0], free[1])]
    return "; ".join(f"{a} instead of {b}" for a, b in pairs if a != b)


def the_format_means_nothing(case: Case, scratch: Path) -> str:
    """CSV, lines of JSON, an event file."""
    told = {
        form: api.analyze(log(case.home).write(scratch / form / case.home.name, form))
        for form in WRITERS
    }
    wrong = {form: _same(got, report(case.home)) for form, got in told.items()}
    return "; ".join(f"{form}: {text}" for form, text in wrong.items() if text)


def the_first_part_of_a_healthy_run_is_not_failing(case: Case, scratch: Path) -> str:
    """What a healthy run had logged on the way was healthy, or could not be told yet."""
    if not case.healthy:
        return ""
    told = {
        share: api.analyze(
            log(case.home).cut(share * case.steps).write(scratch / f"{share}" / case.home.name)
        )
        for share in PARTS
    }
    return "; ".join(
        f"at {share:.0%}: {got.why_verdict}"
        for share, got in told.items()
        if got.verdict == "failing"
    )


def nothing_fails_before_it_happens(case: Case, scratch: Path) -> str:
    """Up to well before its first symptom a run is not failing."""
    if case.healthy or case.onset is None or case.onset <= LATE:
        return ""
    got = api.analyze(log(case.home).cut(BEFORE * case.onset).write(scratch / case.home.name))
    return got.why_verdict if got.verdict == "failing" else ""


def a_report_survives_json(case: Case, scratch: Path) -> str:
    """Written and read again it is equal."""
    file = scratch / "report.json"
    file.write_text(json.dumps(report(case.home).to_dict(), allow_nan=False), "utf-8")
    again = Report.from_dict(json.loads(file.read_text("utf-8")))
    return "" if again == report(case.home) else "it is another one when it is read again"


_LAWS: Iterable[Callable[[Case, Path], str]] = (
    thinner_logging_says_the_same,
    the_order_of_columns_means_nothing,
    the_order_of_files_means_nothing,
    names_are_but_names,
    unrelated_signals_change_nothing,
    the_unit_of_the_step_axis_means_nothing,
    the_format_means_nothing,
    the_first_part_of_a_healthy_run_is_not_failing,
    nothing_fails_before_it_happens,
    a_report_survives_json,
)
LAWS: Final[Mapping[str, Callable[[Case, Path], str]]] = {
    one.__name__.replace("_", " "): one for one in _LAWS
}
