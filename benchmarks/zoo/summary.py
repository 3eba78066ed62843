"""The figures as they are published.

A table for documents, and the test split against the train split.
"""

from __future__ import annotations

import math
import random
import re
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo import plan, score
from gandoctor.errors import UsageError
from gandoctor.model.measured import Share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.zoo.score import Case

# Figure -> what it is; in the order of the table. A control goes with the figure whose name it
# begins with.
ROWS: Final = {
    "recall": "failed runs called failing",
    "clear_recall": "the same, borderline runs left out",
    "false_alarms": "healthy runs called failing",
    "false_alarms_without_fault": "the same, of those without any injected fault",
    "healthy_said": "healthy runs called healthy",
    "healthy_with_findings": "healthy runs with any finding",
    "symptom_top": "a true symptom is named first",
    "symptom_precision": "of all symptoms named, true",
    "cause_top1": "the true settings are blamed first",
    "cause_top3": "or second or third",
    "onset_error": "onset error, as a share of the run",
}
CURES: Final = {
    "patched": "failed runs with a patch",
    "trains": "of these patches, those that apply and train",
    "cured": "failed runs cured by the first patch, by the majority of three seeds",
    "cured_same_seed": "the same, with the run's own seed",
}
CONTROLS: Final = {
    "lr10": "both learning rates over ten instead",
    "random": "a random setting times or over ten instead",
    "nudge": "0.1 % more of D's learning rate instead",
    "unchanged": "nothing changed but the seed",
}
LOWER_IS_BETTER: Final = frozenset(
    {
        "false_alarms",
        "false_alarms_without_fault",
        "healthy_inconclusive",
        "healthy_with_findings",
        "onset_error",
        "no_report",
    }
)
RESAMPLED: Final = 2000


# ----------------------------------------------------------------------------------------- markdown


def block(
    split: str,
    cases: Sequence[Case],
    cures: dict[str, Any] | None = None,
    seeds: Sequence[int] | None = None,
) -> str:
    """The accuracy table of a split, as markdown.

    Parameters
    ----------
    split : str
    cases : sequence of Case
    cures : dict, optional
        Figures of `cure.figures`.
    seeds : sequence of int, optional
        Those that were trained instead of the split's own.
    """
    overall, planned = score.figures(cases)["overall"], len(plan.jobs(split, seeds))
    failed = sum(c.failed for c in cases)
    how = {
        "train": "that rules and weights were tuned on (expect less elsewhere)",
        "test": "of other data sets, widths, rates, seeds and ways of logging than rules and "
        "weights were tuned on",
    }[split]
    how += ", on seeds that nobody had looked at" if seeds else ""
    part = "" if len(cases) == planned else f" (of {planned} planned)"
    lines = [
        f"{len(cases)} trainings of tiny GANs{part} {how}.",
        f"{failed} of them failed; that was measured on held-out data.",
        "",
        "| figure | value [95 % interval] |",
        "|---|---|",
    ]
    for name, words in ROWS.items():
        shuffled = overall.get(f"{name}_shuffled")
        against = f"; against shuffled truths {shuffled:.2f}" if shuffled is not None else ""
        lines.append(f"| {words} | {_told(overall[name])}{against} |")
    if cures:
        lines += [f"| {words} | {cures['overall'][name]} |" for name, words in CURES.items()]
        lines += [
            f"| control: {w} | {cures['overall'][n]} |"
            for n, w in CONTROLS.items()
            if cures["overall"][n].n
        ]
    if cures and cures["missing"]["patched"]:
        lines += [
            "",
            (
                f"Left out: {cures['missing']['patched']} failed runs of which the patch "
                "has changed since."
            ),
        ]
    todo = ["run", *(["cure"] if cures else []), "score --markdown"]
    more = f" --seeds {' '.join(map(str, seeds))}" if seeds else ""
    commands = [
        f"    python -m benchmarks.zoo {w} --split {split}{'' if w == 'cure' else more}"
        for w in todo
    ]
    return "\n".join([*lines, "", *commands]) + "\n"


def _told(value: Any) -> str:
    if isinstance(value, Share):
        return str(value)
    if value["value"] is None:
        return "-"
    low, high = value["interval"]
    return f"median {value['value']:.2f} [{low:.2f}, {high:.2f}]"


def put(file: Path, place: str, text: str) -> None:
    """Put a block between ``<!-- zoo:PLACE ... -->`` and ``<!-- /zoo:PLACE -->`` of a document.

    Raises
    ------
    UsageError
        It cannot be read, or has no such place.
    """
    try:
        before = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError("cannot be read", str(file), str(e)) from None
    marks = re.compile(rf"(<!-- zoo:{place}\b[^>]*-->\n).*?(<!-- /zoo:{place} -->)", re.DOTALL)
    after, count = marks.subn(lambda m: m[1] + text + m[2], before)
    if not count:
        hint = f"write <!-- zoo:{place} --> and <!-- /zoo:{place} -->"
        raise UsageError("has no place for the figures", str(file), hint)
    if after != before:
        file.write_text(after, "utf-8")


# -------------------------------------------------------------------------------------------- train
# and test compared


def difference(test: Share, train: Share) -> tuple[float, float]:
    """95 % interval of the difference of two independent shares (Newcombe's, from Wilson's).

    Newcombe, R. G. (1998): Interval estimation for the difference between independent proportions,
    method 10.
    """
    assert test.interval
    assert train.interval
    p, (p_low, p_high) = test.k / test.n, test.interval
    q, (q_low, q_high) = train.k / train.n, train.interval
    return p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def compare(
    train: Sequence[Case], test: Sequence[Case], cures: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Each figure on both splits, and whether test is worse by more than chance.

    Parameters
    ----------
    train, test : sequence of Case
    cures : sequence of dict
        Figures of `cure.figures` on train and on test; none: they are left out.

    Returns
    -------
    list of dict
        ``figure``, ``train`` and ``test`` (as told), ``difference``, ``interval`` and ``below``.
    """
    both = [score.figures(cases)["overall"] for cases in (train, test)]
    pairs = [(name, both[0][name], both[1][name]) for name in both[0]]
    if cures:
        names = (*CURES, "cured_without_borderline", *CONTROLS)
        pairs += [(n, cures[0]["overall"][n], cures[1]["overall"][n]) for n in names]
    rows = []
    for name, a, b in pairs:
        row: dict[str, Any] = {
            "figure": name,
            "train": a,
            "test": b,
            "difference": None,
            "interval": None,
            "below": None,
        }
        if isinstance(a, Share) and a.n and b.n:
            row |= {"difference": b.k / b.n - a.k / a.n, "interval": difference(b, a)}
        elif name == "onset_error" and a["n"] and b["n"]:
            row |= {"difference": b["value"] - a["value"], "interval": _medians(train, test)}
        elif name.endswith("_shuffled") and a is not None and b is not None:
            row |= _over_shuffled(name.removesuffix("_shuffled"), *both)
        if row["interval"] and name not in CONTROLS:
            low, high = row["interval"]
            row["below"] = low > 0 if name in LOWER_IS_BETTER else high < 0
        rows.append(row)
    return rows


def _over_shuffled(name: str, train: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """A share less what shuffled truths would earn.

    These, means of many shuffles, are taken as exact.
    """
    shares, chances = ([of[key] for of in (train, test)] for key in (name, f"{name}_shuffled"))
    values = [share.k / share.n - chance for share, chance in zip(shares, chances, strict=True)]
    less = chances[1] - chances[0]
    low, high = difference(shares[1], shares[0])
    return {
        "figure": f"{name}_over_shuffled",
        "train": values[0],
        "test": values[1],
        "difference": values[1] - values[0],
        "interval": (low - less, high - less),
    }


def _medians(train: Sequence[Case], test: Sequence[Case]) -> tuple[float, float]:
    """95 % interval of the difference of the median onset errors, by resampling runs."""
    errors = [
        [e for c in cases if c.failed and (e := score.onset_error(c)) is not None]
        for cases in (train, test)
    ]
    rng = random.Random(0)

    def once(values: list[float]) -> float:
        return sorted(rng.choices(values, k=len(values)))[len(values) // 2]

    gaps = sorted(once(errors[1]) - once(errors[0]) for _ in range(RESAMPLED))
    return gaps[round(0.025 * RESAMPLED)], gaps[round(0.975 * RESAMPLED) - 1]


def compared(rows: Sequence[dict[str, Any]]) -> str:
    """The comparison as a table for the terminal."""
    lines = [f"{'figure':28s} {'train':32s} {'test':32s} test - train"]
    for row in rows:
        told = [_short(row[split]) for split in ("train", "test")]
        end = ""
        if row["interval"]:
            low, high = row["interval"]
            end = f"{row['difference']:+.2f} [{low:+.2f}, {high:+.2f}]"
            end += "  BELOW" if row["below"] else ""
        lines.append(f"{row['figure']:28s} {told[0]:32s} {told[1]:32s} {end}".rstrip())
    below = [row["figure"] for row in rows if row["below"]]
    lines.append(
        f"test is below train by more than the interval on: {', '.join(below) or 'nothing'}"
    )
    return "\n".join(lines)


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else _told(value)
