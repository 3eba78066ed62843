"""The figures of the picture zoo: those of the tiny one, and by what the logs hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.weigh.fit import auc, calibration_error
from benchmarks.zoo import score
from benchmarks.zoo.score import share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.zoo.score import Case, Share


def figures(cases: Sequence[Case]) -> dict[str, Any]:
    """As `score.figures`, with ``pictures`` and the tables by house and by game beside them."""
    failed = [c for c in cases if c.failed]
    clear = [c for c in failed if not c.truth["borderline"]]
    fine = [c for c in cases if not c.failed]
    with_samples = [c for c in clear if c.truth["told"]["samples"]]
    losses_alone = [c for c in clear if c.truth["told"]["losses only"] and not _more(c)]
    blamable = [c for c in failed if c.wrong and c.truth["config"]]
    told = [(c, _belief(c)) for c in cases]
    known = [(c.failed, p) for c, p in told if p is not None]
    truth, belief = np.array([f for f, _ in known]), np.array([p for _, p in known])
    both = bool(known) and bool(truth.any()) and not truth.all()
    found = score.figures(cases)
    found["pictures"] = {
        "accused": share(c.alarm for c in fine),
        "accused_where_d_wins": share(c.alarm for c in fine if c.truth["d_wins"]),
        "found": share(c.alarm for c in clear),
        "found_with_samples": share(c.alarm for c in with_samples),
        "found_by_losses_alone": share(c.alarm for c in losses_alone),
        "symptom_named": share(bool(c.symptoms & set(c.truth["symptoms"])) for c in clear),
        "blamed_first": share(_right(c) for c in blamable),
        "blamed_first_shuffled": score.shuffled(blamable, _right_of),
        "auc": auc(belief, truth) if both else None,
        "ece": calibration_error(belief, truth) if both else None,
    }
    found["houses"] = _by(cases, lambda c: str(c.truth["house"]))
    found["games"] = _by(cases, lambda c: str(c.truth["game"]))
    return found


def _more(case: Case) -> bool:
    return bool(case.truth["told"]["samples"] or case.truth["told"]["fid"])


def _belief(case: Case) -> float | None:
    if case.report is None or case.report.get("p_failing") is None:
        return None
    return float(case.report["p_failing"])


def _right(case: Case) -> bool:
    return _right_of(case, case)


def _right_of(said: Case, true: Case) -> bool:
    """Whether the first diagnosis blames what was put wrong, by the settings' plain names."""
    blamed = _plain(said, said.blamed(1)[0] if said.blamed(1) else set())
    wrong = {w["setting"] for w in true.truth["wrong"]}
    return bool(blamed) and len(blamed & wrong) / len(blamed | wrong) >= 0.5


def _plain(case: Case, keys: set[str]) -> set[str]:
    """Keys of the user's config as settings; a key that stands for both players' counts as either.

    Where only one of them was put wrong, that one is meant.
    """
    wrong = {w["setting"] for w in case.truth["wrong"]}
    found: set[str] = set()
    for key in keys:
        meant = {s for s, name in case.truth["written"].items() if name == key} or {key}
        found |= (meant & wrong) or meant
    return found


def _by(cases: Sequence[Case], key: Callable[[Case], str]) -> dict[str, dict[str, Share]]:
    return {
        name: {
            "found": share(c.alarm for c in group if c.failed),
            "accused": share(c.alarm for c in group if not c.failed),
        }
        for name, group in score.grouped(cases, key).items()
    }


def table(found: dict[str, Any]) -> str:
    """Figures for people."""
    lines = [score.table(found), "pictures"]
    for name, value in found["pictures"].items():
        lines.append(
            f"  {name:28s} {value:.3f}" if isinstance(value, float) else f"  {name:28s} {value}"
        )
    for title in ("houses", "games"):
        lines.append(f"{title}: found | accused")
        lines += [f"  {n:28s} {row['found']} | {row['accused']}" for n, row in found[title].items()]
    return "\n".join(lines)
