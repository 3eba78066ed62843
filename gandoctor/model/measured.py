"""How often rules and causes were right on trainings with measured outcome, 95 % intervals."""

from __future__ import annotations

import math
from typing import Final

from gandoctor.values import dataclass

Z: Final = 1.96  # of a two-sided 95 % interval
ENOUGH: Final = 0.8  # lower 95 % bound from which a rule is trusted
CASES_FOR_HIGH: Final = 35  # fewest cases on which a rule may be held with high confidence


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with Wilson's 95 % interval.

    Attributes
    ----------
    k, n : int
    """

    k: int
    n: int

    @property
    def value(self) -> float | None:
        """The share; None of none."""
        return self.k / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper 95 % bound; None of none."""
        if not self.n:
            return None
        p, n = self.k / self.n, self.n
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        # at the ends rounding may put the bound a hair inside
        return min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half))

    @property
    def lower(self) -> float:
        """Lower 95 % bound; 0 of none."""
        return self.interval[0] if self.interval else 0.0

    def __str__(self) -> str:
        if not self.interval:
            return "0/0"
        low, high = self.interval
        return f"{self.k}/{self.n} = {self.k / self.n:.2f} [{low:.2f}, {high:.2f}]"

    def __add__(self, other: Share) -> Share:
        return Share(self.k + other.k, self.n + other.n)


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """How a symptom rule did on one set of runs.

    Attributes
    ----------
    runs : int
        Runs that were told, failed and healthy.
    fired : int
        Runs on which it fired.
    on_failed : int
        Of these, runs that had failed.
    right : int
        Of these, runs that had the rule's symptom.
    had : int
        Runs that had the rule's symptom.
    could : int
        Of these, runs that logged enough to decide the rule.
    """

    runs: int = 0
    fired: int = 0
    on_failed: int = 0
    right: int = 0
    had: int = 0
    could: int = 0

    @property
    def precision(self) -> Share:
        """Of the runs on which it fired, those that had failed."""
        return Share(self.on_failed, self.fired)

    @property
    def symptom(self) -> Share:
        """Of the runs on which it fired, those that had its symptom."""
        return Share(self.right, self.fired)

    @property
    def recall(self) -> Share:
        """Of the runs that had its symptom, those on which it fired."""
        return Share(self.right, self.had)

    def __str__(self) -> str:
        if not self.fired:
            return f"fired on none of {self.runs} runs, {self.had} of which had its symptom"
        return (
            f"fired on {self.fired} of {self.runs} runs, {self.on_failed} of them failed (lower 95 "
            "% bound "
            f"{self.precision.lower:.2f}); symptom right {self.right}/{self.fired}; recall "
            f"{self.right}/{self.had}"
        )

    def __add__(self, other: RuleRecord) -> RuleRecord:
        return RuleRecord(
            self.runs + other.runs,
            self.fired + other.fired,
            self.on_failed + other.on_failed,
            self.right + other.right,
            self.had + other.had,
            self.could + other.could,
        )


@dataclass(frozen=True, slots=True)
class Tallies:
    """How a symptom rule did on each set of runs.

    Attributes
    ----------
    train : RuleRecord
        Runs of the zoo that rules and weights were tuned on.
    test : RuleRecord
        Runs of the zoo of other data sets, widths, rates, seeds and ways of logging.
    fresh : RuleRecord
        The same on seeds that nobody had looked at.
    samples : RuleRecord
        The runs under ``sample_logs/``.
    """

    train: RuleRecord = RuleRecord()
    test: RuleRecord = RuleRecord()
    fresh: RuleRecord = RuleRecord()
    samples: RuleRecord = RuleRecord()

    @property
    def zoo(self) -> RuleRecord:
        """All of the zoo."""
        return self.train + self.test + self.fresh

    def __str__(self) -> str:
        if not self.zoo.runs:
            return "not yet measured"
        alone = (("fresh seeds", self.fresh), ("the test split", self.test))
        name, record = next(((n, r) for n, r in alone if r.runs), ("", None))
        return (
            f"{self.zoo}; on {name} alone: {record}" if self.zoo.fired and record else str(self.zoo)
        )

    @property
    def proven(self) -> bool:
        """Whether the run had failed where the rule fired, with a lower 95 % bound of `ENOUGH`."""
        return self.zoo.precision.lower >= ENOUGH

    @property
    def well_proven(self) -> bool:
        """Whether that was seen in `CASES_FOR_HIGH` cases."""
        return self.proven and self.zoo.fired >= CASES_FOR_HIGH
