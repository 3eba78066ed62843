"""What gandoctor says of a zoo, against what was measured.

Every accuracy figure, with its 95 % interval.

Wilson's interval for shares, order statistics for the median. The control for every "named right"
is the same reports against the truths of other failed runs: what a constant answer would earn.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo import reports
from gandoctor.model import measured
from gandoctor.model.measured import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

SHUFFLES: Final = 200


@dataclass(frozen=True)
class Case:
    """One run: the measured truth, and the report as plain data (else None, and the error)."""

    truth: dict[str, Any]
    report: dict[str, Any] | None
    error: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.truth["outcome"] == "failed")

    @property
    def alarm(self) -> bool:
        return self.said("failing")

    def said(self, verdict: str) -> bool:
        return self.report is not None and self.report["verdict"] == verdict

    @property
    def symptoms(self) -> set[str]:
        """Symptoms of findings that count: of high or medium severity."""
        findings = self.report["findings"] if self.report else []
        return {f["symptom"] for f in findings if f["severity"] in ("high", "medium")}

    @property
    def top_symptoms(self) -> set[str]:
        diagnoses = self.report["diagnoses"] if self.report else []
        return set(diagnoses[0]["symptoms"][:2]) if diagnoses else set()

    def blamed(self, first: int) -> list[set[str]]:
        diagnoses = self.report["diagnoses"] if self.report else []
        return [set(d["settings"]) for d in diagnoses[:first]]

    @property
    def wrong(self) -> set[str]:
        return {w["key"] for w in self.truth["wrong"]}

    @property
    def onset(self) -> int | None:
        """Since when the run has been bad, by its first symptom; None where that cannot be said."""
        times = [
            self.truth["onset"][s]
            for s in self.truth["symptoms"]
            if self.truth["onset"][s] is not None
        ]
        return times[0] if times else self.truth["first_bad_step"]


def share(of: Iterable[bool]) -> Share:
    """Share of the true ones."""
    every = list(of)
    return Share(sum(every), len(every))


def load(folder: Path, processes: int = 1) -> list[Case]:
    """Analyse every run of a folder that has its truth beside it, and nothing else in sight."""
    truths = reports.truths(folder)
    said = reports.load([folder / truth["run"] for truth in truths], processes)
    return [Case(truth, *told) for truth, told in zip(truths, said, strict=True)]


# ------------------------------------------------------------------------------------------ figures


def figures(cases: Sequence[Case]) -> dict[str, Any]:
    """Every figure as plain data.

    Returns
    -------
    dict
        ``overall`` (name -> share, or median with interval), ``families``, ``faults``, ``rules``,
        ``causes``.
    """
    failed = [c for c in cases if c.failed]
    fine = [c for c in cases if not c.failed]
    blamable = [c for c in failed if c.wrong]
    named = [(symptom, c) for c in failed for symptom in c.symptoms]
    return {
        "runs": len(cases),
        "overall": {
            "recall": share(c.alarm for c in failed),
            "clear_recall": share(c.alarm for c in failed if not c.truth["borderline"]),
            "false_alarms": share(c.alarm for c in fine),
            "false_alarms_without_fault": share(c.alarm for c in fine if not c.truth["fault"]),
            "healthy_said": share(c.said("healthy") for c in fine),
            "healthy_inconclusive": share(c.said("inconclusive") for c in fine),
            "healthy_with_findings": share(bool(c.symptoms) for c in fine),
            "symptom": share(_names(c, c) for c in failed),
            "symptom_top": share(_names_first(c, c) for c in failed),
            "symptom_top_shuffled": shuffled(failed, _names_first),
            "symptom_precision": share(symptom in c.truth["symptoms"] for symptom, c in named),
            "cause_top1": share(_blames(1)(c, c) for c in blamable),
            "cause_top3": share(_blames(3)(c, c) for c in blamable),
            "cause_top1_shuffled": shuffled(blamable, _blames(1)),
            "onset_error": median([e for c in failed if (e := onset_error(c)) is not None]),
            "no_report": share(c.report is None for c in cases),
        },
        "families": _by(cases, lambda c: c.truth["family"]),
        "faults": _by([c for c in cases if c.truth["fault"]], lambda c: c.truth["fault"]),
        "symptoms": {
            s: share(s in c.symptoms for c in failed if s in c.truth["symptoms"])
            for s in sorted({s for c in failed for s in c.truth["symptoms"]})
        },
        "rules": rules(cases),
        "causes": causes(cases),
    }


def rules(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """How good each rule is alone.

    How often its symptom was really there, how often it spoke of a healthy run.
    """
    fired: dict[str, dict[str, Any]] = defaultdict(lambda: {"symptom": "", "cases": []})
    for case in cases:
        for finding in case.report["findings"] if case.report else []:
            entry = fired[finding["rule"]]
            entry["symptom"] = finding["symptom"]
            if (
                not entry["cases"] or entry["cases"][-1] is not case
            ):  # once, however many networks it fired for
                entry["cases"].append(case)
    return {
        rule: {
            "symptom": entry["symptom"],
            "right": share(entry["symptom"] in c.truth["symptoms"] for c in entry["cases"]),
            "on_failed": share(c.failed for c in entry["cases"]),
            "recall": Share(
                sum(entry["symptom"] in c.truth["symptoms"] for c in entry["cases"]),
                sum(entry["symptom"] in c.truth["symptoms"] for c in cases),
            ),
        }
        for rule, entry in sorted(fired.items())
    }


def causes(cases: Sequence[Case]) -> dict[str, Share]:
    """How often each cause, named first, blames the settings that were put wrong."""
    first: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        if case.report and case.report["diagnoses"]:
            right = case.failed and _overlap(case.wrong, case.blamed(1)[0]) >= 0.5
            first[case.report["diagnoses"][0]["cause"]].append(right)
    return {cause: share(right) for cause, right in sorted(first.items())}


def grouped(cases: Sequence[Case], key: Callable[[Case], str]) -> dict[str, list[Case]]:
    """The cases of each kind, in the order of the kinds' names."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[key(case)].append(case)
    return dict(sorted(groups.items()))


def _by(cases: Sequence[Case], key: Callable[[Case], str]) -> dict[str, dict[str, Share]]:
    return {
        name: {
            "recall": share(c.alarm for c in group if c.failed),
            "false_alarms": share(c.alarm for c in group if not c.failed),
            "symptom_top": share(_names_first(c, c) for c in group if c.failed),
            "cause_top1": share(_blames(1)(c, c) for c in group if c.failed and c.wrong),
        }
        for name, group in grouped(cases, key).items()
    }


def _names(said: Case, true: Case) -> bool:
    return bool(said.symptoms & set(true.truth["symptoms"]))


def _names_first(said: Case, true: Case) -> bool:
    return bool(said.top_symptoms & set(true.truth["symptoms"]))


def _blames(first: int) -> Callable[[Case, Case], bool]:
    """Whether one of the first diagnoses blames the settings that were put wrong."""

    def right(said: Case, true: Case) -> bool:
        keys = _plainly(true) if said is not true else true.wrong
        return any(
            _overlap(keys, _plainly(said, b) if said is not true else b) >= 0.5
            for b in said.blamed(first)
        )

    return right


def _plainly(case: Case, keys: set[str] | None = None) -> set[str]:
    """Keys under canonical names, so that runs of different spellings can be compared."""
    from benchmarks.zoo import config  # noqa: PLC0415

    return {config.canonical(key) for key in (case.wrong if keys is None else keys)}


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def onset_error(case: Case) -> float | None:
    """Distance between named and measured onset over the run's length; 1 where none is named."""
    if case.onset is None:
        return None
    diagnoses = case.report["diagnoses"] if case.report else []
    named = diagnoses[0]["onset_step"] if diagnoses else None
    return 1.0 if named is None else min(1.0, abs(named - case.onset) / case.truth["iterations"])


def shuffled(cases: Sequence[Case], right: Callable[[Case, Case], bool]) -> float | None:
    """Mean share of reports that are "right" about another, randomly chosen failed run."""
    if len(cases) < 2:
        return None
    rng, hits = random.Random(0), 0
    for _ in range(SHUFFLES):
        turn = rng.randrange(1, len(cases))
        order = list(range(len(cases)))
        rng.shuffle(order)
        hits += sum(right(cases[order[i]], cases[order[i - turn]]) for i in range(len(order)))
    return hits / (SHUFFLES * len(cases))


def median(values: Sequence[float]) -> dict[str, Any]:
    """Median with the 95 % interval of its order statistics."""
    if not values:
        return {"n": 0, "value": None, "interval": None}
    ranked, n = sorted(values), len(values)
    reach = measured.Z * math.sqrt(n) / 2
    low, high = max(0, math.floor(n / 2 - reach)), min(n - 1, math.ceil(n / 2 + reach))
    middle = (ranked[(n - 1) // 2] + ranked[n // 2]) / 2
    return {"n": n, "value": middle, "interval": (ranked[low], ranked[high])}


# ------------------------------------------------------------------------------------------- output


def plain(value: Any) -> Any:
    """Figures as JSON takes them."""
    if isinstance(value, Share):
        return {"k": value.k, "n": value.n, "value": value.value, "interval": value.interval}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def table(found: dict[str, Any]) -> str:
    """Figures for people."""
    lines = [f"{found['runs']} runs; [95 % interval]"]
    for name, value in found["overall"].items():
        if isinstance(value, dict):
            told = (
                "-"
                if value["value"] is None
                else f"{value['value']:.2f} {list(map(_two, value['interval']))} (median)"
            )
        else:
            told = f"{value:.2f}" if isinstance(value, float) else str(value)
        lines.append(f"  {name:28s} {told}")
    for title in ("families", "faults"):
        lines.append(f"{title}: recall | false alarms | symptom first | cause first")
        for name, row in found[title].items():
            lines.append(f"  {name:28s} " + " | ".join(f"{row[k].k}/{row[k].n}" for k in row))
    lines.append("symptoms: named where they were measured")
    lines += [f"  {name:28s} {value}" for name, value in found["symptoms"].items()]
    lines.append("rules: symptom was there | run had failed | of the runs with the symptom")
    for name, row in found["rules"].items():
        lines.append(f"  {name:36s} {row['right']} | {row['on_failed']} | {row['recall']}")
    lines.append("causes: right when named first")
    lines += [f"  {name:36s} {value}" for name, value in found["causes"].items()]
    return "\n".join(lines)


def mistakes(cases: Sequence[Case]) -> list[str]:
    """One line for every run that is told wrongly."""
    lines = []
    for c in cases:
        good = (
            c.said("healthy")
            if not c.failed
            else c.alarm and _names_first(c, c) and (_blames(1)(c, c) or not c.wrong)
        )
        if good:
            continue
        true = "|".join(c.truth["symptoms"]) or "-"
        verdict = c.report["verdict"] if c.report else c.error
        blamed = "; ".join("|".join(sorted(b)) for b in c.blamed(2))
        lines.append(
            f"{c.truth['run']} {c.truth['data']} {c.truth['family']} "
            f"{c.truth.get('what') or 'base'}: "
            f"{c.truth['outcome']}{'~' if c.truth['borderline'] else ''} {true} "
            f"[{'|'.join(sorted(c.wrong))}]"
            f" / said {verdict} {'|'.join(sorted(c.symptoms)) or '-'} [{blamed}]"
        )
    return lines


def _two(value: float) -> float:
    return round(value, 2)
