"""``rules/measured.yaml``.

How often each rule, cause and remedy was right, on the zoo and on the sample runs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor import rulebook
from gandoctor.model.measured import RuleRecord, Share, Tallies
from gandoctor.rulebook import measured as claims

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.zoo.score import Case

HEAD: Final = """\
# How often rules, causes and remedies were right: counted, never edited. Written by
#   python -m benchmarks.zoo measure-rules
# from the two splits of the zoo, fresh seeds of its test split, and sample_logs/ (benchmarks/zoo/README.md says
# what counts as true).
#   runs    runs told, and how many of them had failed
#   rules   fired: runs it fired on; on_failed: of these, runs that had failed; right: of these, runs that had its
#           symptom; had: runs that had its symptom; could: of these, runs that logged enough to decide it
#   causes  first: runs in which it was named first; right: of these, runs in which the settings it blames were wrong
#   cures   failed trainings for which the remedy was prescribed first, for this cause; cured by the majority of seeds.
#           Those of the train split rank prescriptions; cures_unseen, of the test split, are only shown
"""


def rules(cases: Sequence[Case]) -> dict[str, RuleRecord]:
    """The record of every symptom rule on some runs."""
    book = rulebook.load([rulebook.default_folder()])
    told = [(c, *_decided(c)) for c in cases]
    records = {}
    for rule in (r for r in book.rules if r.kind == "symptom" and r.status != "retired"):
        fired = [c for c, said, _ in told if rule.id in said]
        had = [(c, decided) for c, _, decided in told if rule.symptom in c.truth["symptoms"]]
        records[rule.id] = RuleRecord(
            runs=len(cases),
            fired=len(fired),
            on_failed=sum(c.failed for c in fired),
            right=sum(rule.symptom in c.truth["symptoms"] for c in fired),
            had=len(had),
            could=sum(rule.id in decided for _, decided in had),
        )
    return records


def overclaimed(sets: Mapping[str, Sequence[Case]]) -> dict[str, str]:
    """Rules that claim more than these runs show, each with why."""
    book = rulebook.load([rulebook.default_folder()])
    records = {name: rules(of) for name, of in sets.items()}
    told = {
        r: Tallies(**{name: of[r] for name, of in records.items()})
        for r in next(iter(records.values()), {})
    }
    return claims.overclaimed(replace(r, measured=told.get(r.id)) for r in book.rules)


def _decided(case: Case) -> tuple[set[str], set[str]]:
    """Rules that fired, and all that were decided either way."""
    if case.report is None:
        return set(), set()
    fired = {f["rule"] for f in case.report["findings"]}
    return fired, fired | set(case.report["clear"])


def text(
    sets: Mapping[str, Sequence[Case]],
    causes: Mapping[str, Mapping[str, Share]],
    cures: Mapping[str, Mapping[str, Mapping[str, Share]]],
) -> str:
    """The file.

    Parameters
    ----------
    sets : Mapping of str to sequence of Case
        By name: ``train``, ``test``, ``fresh``, ``samples``.
    causes : Mapping
        Set -> cause -> right when named first.
    cures : Mapping
        Split -> remedy -> cause -> cured of tried.
    """
    lines = [HEAD.rstrip(), "runs:"]
    lines += [
        f"  {name}: {_flow(runs=len(of), failed=sum(c.failed for c in of))}"
        for name, of in sets.items()
        if of
    ]
    records = {name: rules(of) for name, of in sets.items() if of}
    lines.append("rules:")
    for rule in sorted({r for of in records.values() for r in of}):
        lines.append(f"  {rule}:")
        for name, of in records.items():
            r = of[rule]
            counts = _flow(
                fired=r.fired, on_failed=r.on_failed, right=r.right, had=r.had, could=r.could
            )
            lines.append(f"    {name}: {counts}")
    lines.append("causes:")
    for cause in sorted({c for of in causes.values() for c in of}):
        lines.append(f"  {cause}:")
        lines += [
            f"    {name}: {_flow(first=of[cause].n, right=of[cause].k)}"
            for name, of in causes.items()
            if cause in of
        ]
    for key, split in (("cures", "train"), ("cures_unseen", "test")):
        lines += [f"{key}:" if cures.get(split) else f"{key}: {{}}"]
        for remedy, of in sorted(cures.get(split, {}).items()):
            lines.append(f"  {remedy}:")
            lines += [
                f"    {cause}: {_flow(cured=share.k, of=share.n)}"
                for cause, share in sorted(of.items())
            ]
    return "\n".join(lines) + "\n"


def _flow(**counts: int) -> str:
    return "{" + ", ".join(f"{k}: {v}" for k, v in counts.items()) + "}"


def cures(told: Iterable[tuple[str, str, bool]]) -> dict[str, dict[str, Share]]:
    """Remedy -> cause -> cured of tried, from (remedy, cause, cured) of each run."""
    found: dict[str, dict[str, Share]] = defaultdict(lambda: defaultdict(lambda: Share(0, 0)))
    for remedy, cause, cured in told:
        found[remedy][cause] += Share(int(cured), 1)
    return {remedy: dict(of) for remedy, of in found.items()}
