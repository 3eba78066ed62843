"""Hold the two losses against each other: what every family allows, and where each one rests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.functions import rounding_of
from gandoctor.lang.middle import median, quantile
from gandoctor.objective.families import LN2, TABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.model.signals import Family
    from gandoctor.objective.evidence import Evidence

_MOSTLY: Final = 0.5


def ask_bounds(seen: Evidence, d: NDArray[np.float64], g: NDArray[np.float64]) -> None:
    """What the two losses say together, where G's is nothing but D's judgement.

    Parameters
    ----------
    seen : Evidence
        What is found is added to it.
    d, g : ndarrays of float64, shape (n,)
        Losses at the same steps, finite.
    """
    if float(np.mean(d >= 0)) < 0.9:
        return None
    # A loss printed as zero is one below half a digit, and cross-entropy is never quite zero.
    least = max(rounding_of(d) / 2, 1e-7)
    keep = d >= 0
    d, g = np.where(d[keep] == 0, least, np.maximum(d[keep], 1e-12)), g[keep]
    broken = {f.name: float(np.mean(f.broken(d, g))) for f in TABLE if f.broken is not None}
    if min(broken.values()) > _MOSTLY and float(np.mean(g > -0.02)) > 0.9:
        # One game whose losses both vanish is none of them (D's and G's step see different
        # networks): a bound that all break speaks for nobody.
        return _ask_approach(seen, d, g)
    _ask_broken(seen, broken, d, g)
    _ask_level(seen, broken, d, g)
    _ask_approach(seen, d, g)
    return None


def _ask_broken(
    seen: Evidence, broken: dict[Family, float], d: NDArray[np.float64], g: NDArray[np.float64]
) -> None:
    positive = float(np.mean(g > -0.02)) > 0.9
    if broken["nonsaturating"] > _MOSTLY and positive:
        seen.add(
            "G's loss is lower than cross-entropy allows beside this D loss", nonsaturating=-5.0
        )
    if broken["lsgan"] > _MOSTLY and positive:
        seen.add("both losses are lower than least squares allows", lsgan=-4.0)
    if float(np.mean(d + g < 0.85)) > 0.3:
        seen.add("D's and G's losses sum to less than hinge allows", hinge=-3.0)


def _ask_level(
    seen: Evidence, broken: dict[Family, float], d: NDArray[np.float64], g: NDArray[np.float64]
) -> None:
    """Where the losses lie, in the middle and for most of the log."""
    md, mg, low = float(median(d)), float(median(g)), float(quantile(d, 0.25))
    surprised = broken["nonsaturating"] > _MOSTLY
    if md < 0.15 and mg > 1.6:
        seen.add("D near zero while G's loss is above what least squares reaches", lsgan=-3.0)
    if md < 0.35 and 0.1 < mg < 1.15 and surprised:
        seen.add("D near zero while G's loss stays at or below one", lsgan=3.0)
    if md > 1.3 and float(np.mean(d > 1.3)) > 0.5:
        seen.add("D's loss is above what least squares holds", lsgan=-2.0)
    elif low > 0.52 and mg > 0.3:
        seen.add("D's loss stays above the chance level of least squares", lsgan=-2.0)
    if md > 2.6:
        seen.add("D's loss is above hinge's chance level", hinge=-1.0)
    if md > 2 and mg > 2:
        seen.add(
            "both losses are far above cross-entropy's chance level", nonsaturating=-1.5, lsgan=-1.5
        )

    def near(a: float, b: float, tol: float) -> bool:
        return abs(md - a) < tol * a and abs(mg - b) < tol * max(b, 0.3)

    if near(2 * LN2, LN2, 0.12):
        seen.add(
            f"losses rest near {md:.2f} and {mg:.2f}: cross-entropy at chance", nonsaturating=2.5
        )
    elif near(0.5, 0.25, 0.12) or near(0.25, 0.125, 0.12) or near(0.25, 0.25, 0.12):
        seen.add(f"losses rest near {md:.2f} and {mg:.2f}: least squares at chance", lsgan=3.0)
    below = mg < 0.45 and float(np.mean(g < 0.55)) > 0.8 and float(np.mean(g > -0.02)) > 0.98
    if below and surprised and md < 1.1:
        seen.add("G's loss stays below half its cross-entropy chance level", lsgan=1.5)


def _ask_approach(seen: Evidence, d: NDArray[np.float64], g: NDArray[np.float64]) -> None:
    """Where D wins cross-entropy, its loss is about the p it gives to samples, G's about -ln p."""
    keep = (d > 1e-9) & (d < 0.3) & (g > 0.5)
    if int(keep.sum()) < 20 or float(keep.mean()) < 0.3:
        return
    x, y = -np.log(d[keep]), g[keep]
    if float(np.std(x)) < 0.5 or float(np.std(y)) == 0:
        return
    slope = float(np.std(y) / np.std(x))
    if float(np.corrcoef(x, y)[0, 1]) > 0.8 and 0.5 < slope < 2:
        seen.add(
            "G's loss is about minus the logarithm of D's, as in cross-entropy",
            nonsaturating=2.0,
            relativistic=2.0,
        )
