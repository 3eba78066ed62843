"""Sample pictures and arrays -> how varied the samples are, step by step.

A mode collapse shows in the samples before it shows in any loss. The numbers are ratios to the real
data where it lies beside the samples (``real.npy``, ``real_samples.png``), so that they need no
knowledge of the data set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.samples import gathering, variety

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.model.signals import Picture, Signal

__all__ = ["measure"]


@np.errstate(
    all="ignore"
)  # exploded samples overflow: that is for the numbers to say, not for a warning
def measure(pictures: Sequence[Picture], root: Path) -> tuple[tuple[Signal, ...], dict[str, float]]:
    """Measure how varied the sample pictures of a run are.

    Parameters
    ----------
    pictures : sequence of Picture
        As discovery indexed them; step -1 is real data.
    root : Path
        Folder that their paths are relative to; nothing outside it is opened.

    Returns
    -------
    signals : tuple of Signal
        With their role, under tags like ``samples/sample_variance``:

        - ``sample_variance``: variance over the samples, mean over features, divided by the real
          data's; where no real data is known, by that of the run's most varied step
        - ``sample_diversity``: mean distance between two samples, divided by the real data's; left
          out without it, since noise before the first step is more diverse than any data set
        - ``sample_coverage``, ``sample_precision``, ``sample_fine_precision``, ``sample_shift``,
          ``sample_distance``: where the samples lie among the real data, see
          `gandoctor.samples.fidelity`
        - ``sample_constant_share``: share of samples that are one flat colour
        - ``sample_min``, ``sample_max``: range of values; pictures of 8 bits are in 0..1
        - ``sample_repeat``: share of samples that have a copy in the same grid
        - ``sample_stale``: 1 where the grid equals the one before, 0 where it has nothing to do
          with it

    facts : dict
        ``real_variance``, ``real_min``, ``real_max`` (where real data is known), ``sample_min`` and
        ``sample_max`` of the last step, ``sample_pictures`` (measured), ``sample_pictures_skipped``
        (beyond the budget, unreadable, or without a grid).

    Notes
    -----
    At most 64 evenly spread steps are read, and 6 million pixels or 24 million values of arrays;
    what a file costs is known from its header, before any is decoded.
    """
    series = gathering.series_of(pictures)
    signals: list[Signal] = []
    facts: dict[str, float] = {}
    done = skipped = 0
    for network, (tag, fakes, reals) in series.items():
        batches, real, left_out = gathering.batches_of(fakes, reals, root)
        skipped += left_out
        if not batches:
            continue
        done += sum(len(fakes[s]) for s in batches)
        known = variety.facts_of(batches, real)
        signals += variety.signals_of(tag, network, batches, real)
        facts = {**known, **facts}
    if done or skipped:
        facts |= {"sample_pictures": float(done), "sample_pictures_skipped": float(skipped)}
    return tuple(signals), facts
