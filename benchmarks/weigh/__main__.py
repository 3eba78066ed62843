"""Weigh the evidence: ``python -m benchmarks.weigh gather | fit | reliability``.

    gather --zoo FOLDER ... --pictures FOLDER ... --corpus FOLDER [--ids FILE] --into SEEN.json
    fit SEEN.json ... [--into rules/weights.yaml]
    reliability SEEN.json ... [--into docs]

`gather` looks at labelled runs: a zoo has ``labels.csv`` (id, outcome) and ``runs/<id>``, a corpus
of real logs ``INDEX.csv`` (id, path, repo, verdict, n_points). `fit` weighs the evidence, prints
how well it tells runs of code bases that were left out, and writes the weights. `reliability` draws
belief against outcome, each run believed by weights that were fitted without its code base.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.weigh import fit, gather, reliability, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.weigh.gather import Seen

# At most so many healthy runs are called failing, or warned of; at most so many failed ones called
# healthy.
ACCUSED, WARNED, MISSED = 0.05, 0.2, 0.12
BOUNDS = {
    "failing": (0.8, 0.92),
    "seen": (0.5, 0.9),
    "warning": (0.45, 0.75),
    "healthy": (0.3, 0.45),
}


def cuts(seen: Sequence[Seen], p: NDArray[np.float64]) -> dict[str, float]:
    """Where the verdicts lie, by what mistakes of either kind cost.

    The stricter of the sources counts.
    """
    failed = np.array([s.run.failed for s in seen])
    looked = np.array([any(x.group == "samples" and x.symptom for x in s.signs) for s in seen])
    source = np.array([s.run.source for s in seen])
    weight = fit.counting(seen)
    apart = [source == name for name in sorted(set(source.tolist()))]

    def exceeded_by(share: float, parts: Sequence[NDArray[np.bool_]]) -> float:
        """From where on at most that share of the healthy runs is found, seen and to be expected.

        Seen: with few healthy runs their very highest, as the bound has to hold for the next one,
        too. Expected: of runs believed to have failed with p, 1 - p have not. That counts all runs
        and not the few that happened to be healthy and high; each counts as in the fit, which
        believes of every source that `fit.FAILED` of it have failed.
        """
        bounds: list[float] = []
        for part in parts:
            healthy = np.sort(p[~failed & part])
            if not healthy.size:
                continue
            rank = min(healthy.size, math.ceil((healthy.size + 1) * (1 - share)))
            order = np.argsort(-p[part], kind="stable")
            high, counts = p[part][order], weight[part][order]
            accused = np.cumsum(counts * (1 - high)) / weight[~failed & part].sum()
            bounds += [float(healthy[rank - 1]), float(high[(accused <= share).sum() - 1])]
        return max(bounds)

    def below(share: float) -> float:
        parts = [p[failed & part] for part in apart if (failed & part).any()]
        return min(float(np.quantile(x, share)) for x in parts)

    found = {
        "failing": exceeded_by(ACCUSED, apart),
        "seen": exceeded_by(ACCUSED, (looked,)),
        "warning": exceeded_by(WARNED, apart),
        "healthy": below(MISSED),
    }
    return {k: round(float(np.clip(v, *BOUNDS[k])), 2) for k, v in found.items()}


def told(seen: Sequence[Seen], p: NDArray[np.float64]) -> None:
    """Print how well a belief tells failed runs from healthy ones, by source."""
    failed = np.array([s.run.failed for s in seen])
    source = np.array([s.run.source for s in seen])
    for name in sorted(set(source)):
        at = source == name
        good, bad = np.sort(p[at & ~failed])[::-1], p[at & failed]
        found = [f"{(bad > good[int(a * good.size)]).mean():.2f}" for a in (0.05, 0.1, 0.2)]
        error = fit.calibration_error(p[at], failed[at])
        print(
            f"{name}: {at.sum()} runs, {bad.size} failed; auc {fit.auc(p[at], failed[at]):.3f}; "
            "found at 5 / 10 / 20 % "
            f"of the healthy accused: {' / '.join(found)}; calibration error {error:.3f}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weigh", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    gathering = commands.add_parser("gather")
    gathering.add_argument("--zoo", type=Path, action="append", default=[])
    gathering.add_argument("--pictures", type=Path, action="append", default=[])
    gathering.add_argument("--corpus", type=Path)
    gathering.add_argument(
        "--ids", type=Path, help="file with the ids of the logs to use; all without it"
    )
    gathering.add_argument("--jobs", type=int, default=2)
    gathering.add_argument("--into", type=Path, required=True)
    fitting = commands.add_parser("fit")
    fitting.add_argument("seen", type=Path, nargs="+")
    fitting.add_argument("--into", type=Path)
    showing = commands.add_parser("reliability")
    showing.add_argument("seen", type=Path, nargs="+")
    showing.add_argument("--into", type=Path, required=True)
    args = parser.parse_args(argv)
    if args.command == "gather":
        runs = [run for folder in args.zoo for run in gather.zoo(folder)]
        runs += [run for folder in args.pictures for run in gather.zoo(folder, "pictures")]
        ids = frozenset(args.ids.read_text().split()) if args.ids else None
        runs += gather.corpus(args.corpus, ids) if args.corpus else []
        gather.save(gather.gather(runs, args.jobs), args.into)
        return 0
    book = gather.shelf().whole
    at = fit.space(book)
    seen = fit.known([s for path in args.seen for s in gather.kept(path)], at)
    outside = fit.left_out(seen, at)
    told(seen, outside)
    if args.command == "reliability":
        reliability.write(seen, outside, args.into)
        return 0
    values = fit.fit(seen, at)
    chosen = cuts(seen, outside)
    print("cuts:", chosen)
    if args.into:
        args.into.write_text(write.page(seen, at, values, chosen, book))
    return 0


if __name__ == "__main__":
    sys.exit(main())
