"""How often rules and causes were right and remedies cured, as a benchmark counted it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from gandoctor.errors import RuleError, near
from gandoctor.model.measured import RuleRecord, Share, Tallies
from gandoctor.model.rules import Measured, Rule
from gandoctor.page import Page
from gandoctor.rulebook.folder import MEASURED, FilePage, written_in

# What is counted of a rule, and on which sets of runs. Counts of rules and causes that are gone do
# no harm.
_COUNTS: Final = ("fired", "on_failed", "right", "had", "could")
_SETS: Final = ("train", "test", "fresh", "samples")


def overclaimed(rules: Iterable[Rule]) -> dict[str, str]:
    """Symptom rules that claim more than was measured, each with why.

    A rule is stable where, of the runs it fired on, those that failed have a lower 95 % bound of
    `ENOUGH`, or where `stable_because` says what shows it instead. It is held with high confidence
    where that was seen in `CASES_FOR_HIGH` cases.
    """
    found: dict[str, str] = {}
    for rule in (r for r in rules if r.kind == "symptom"):
        told = rule.measured or Tallies()
        if rule.status == "stable" and not (told.proven or rule.stable_because):
            found[rule.id] = f"is stable, but {told}"
        elif rule.confidence == "high" and not told.well_proven:
            found[rule.id] = f"is held with high confidence, but {told}"
    return found


def counted_in(folders: Sequence[Path], faults: list[RuleError]) -> list[Page]:
    """The files of measured figures.

    What a later folder says of a rule goes before what an earlier one says.
    """
    pages = list(written_in(folders, MEASURED, faults))
    for page in pages:
        page.only(("runs", "rules", "causes", "cures", "cures_unseen"))
    return pages


def _counts(page: Page, key: str, names: Sequence[str]) -> tuple[int, ...]:
    """Whole numbers of runs under some names, all needed, in their order."""
    inner = page.at(key, page.mapping(key, need=True))
    inner.only(names)
    numbers = [inner.number(name, low=0.0) for name in names]
    for name, number in zip(names, numbers, strict=True):
        if number != int(number):
            inner.fault(name, f"{number:g} is no number of runs")
    return tuple(int(n) for n in numbers)


def _share(page: Page, key: str, part: str, whole: str) -> Share:
    k, n = _counts(page, key, (part, whole))
    if k > n:
        page.fault(f"{key}.{part}", f"{k} of {n} cannot be")
    return Share(min(k, n), n)


def tallies_of(counted: Sequence[Page]) -> dict[str, Tallies]:
    """How each rule did on each set of runs."""
    out: dict[str, Tallies] = {}
    for page in counted:
        told = page.at("runs", page.mapping("runs"))
        told.only(_SETS)
        runs = {name: _share(told, name, "failed", "runs").n for name in told.data if name in _SETS}
        for rule, inner in page.entries("rules"):
            inner.only(tuple(runs))
            sets = {}
            for name in (n for n in inner.data if n in runs):
                fired, failed, right, had, could = _counts(inner, name, _COUNTS)
                if not (
                    right <= failed <= fired <= runs[name]
                    and right <= had <= runs[name]
                    and could <= had
                ):
                    inner.fault(
                        name,
                        "the counts do not fit together",
                        "right <= on_failed <= fired; right, could <= had",
                    )
                sets[name] = RuleRecord(runs[name], fired, failed, right, had, could)
            out[rule] = Tallies(**sets)
    return out


def shares_of(counted: Sequence[Page]) -> dict[str, Share]:
    """How often each cause was right when it was named first, on the zoo."""
    out: dict[str, Share] = {}
    for page in counted:
        for cause, inner in page.entries("causes"):
            inner.only(_SETS)
            shares = [
                _share(inner, name, "right", "first")
                for name in _SETS
                if name in inner.data and name != "samples"
            ]
            out[cause] = sum(shares, Share(0, 0))
    return out


def cures(counted: Sequence[Page], key: str, pages: Sequence[FilePage]) -> Measured:
    """How often each remedy cured each cause."""
    known = {
        room: frozenset(p.id for p in pages if p.room == room) for room in ("remedies", "causes")
    }
    out: dict[str, dict[str, tuple[int, int]]] = {}
    for page in counted:
        for remedy, inner in page.entries(key):
            if remedy not in known["remedies"]:
                inner.fault("", f"no remedy is called `{remedy}`", near(remedy, known["remedies"]))
            for cause in map(str, inner.data):
                if cause not in known["causes"]:
                    inner.fault(
                        cause, f"no cause is called `{cause}`", near(cause, known["causes"])
                    )
                share = _share(inner, cause, "cured", "of")
                out.setdefault(remedy, {})[cause] = (share.k, share.n)
    return out
