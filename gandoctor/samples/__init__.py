"""Sample pictures and arrays -> how varied the samples are, step by step.

A mode collapse shows in the samples before it shows in any loss. The numbers are ratios to the real
data where it lies beside the samples (``real.npy``, ``real_samples.png``), so that they need no
knowledge of the data set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.samples import gathering, pairing, variety

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.checkpoints import Drawn
    from gandoctor.model.signals import Picture, Signal
    from gandoctor.samples.given import Given

__all__ = ["measure", "measure_drawn"]

_MOST_SERIES: Final = 3  # that are tried, where the likeliest hold no samples


@np.errstate(
    all="ignore"
)  # exploded samples overflow: that is for the numbers to say, not for a warning
def measure(
    pictures: Sequence[Picture], root: Path, given: Given | None = None
) -> tuple[tuple[Signal, ...], dict[str, float], tuple[str, ...]]:
    """Measure how varied the sample pictures of a run are.

    Parameters
    ----------
    pictures : sequence of Picture
        As discovery indexed them; step -1 is real data.
    root : Path
        Folder that their paths are relative to; nothing outside it is opened.
    given : Given, optional
        Real data that the user names; it goes before what lies beside the samples.

    Returns
    -------
    signals : tuple of Signal
        With their role, under tags like ``samples/sample_variance``:

        - ``sample_variance``: variance over the samples, mean over features, divided by the real
          data's; where no real data is known, by that of the run's most varied step
        - ``sample_diversity``: mean distance between two samples, divided by the real data's; left
          out without it, since noise before the first step is more diverse than any data set
        - ``sample_coverage``, ``sample_precision``, ``sample_fine_precision``, ``sample_shift``,
          ``sample_distance``, ``sample_turnover``: where the samples lie among the real data, and
          how much of it they have left for another part since the look before; see
          `gandoctor.samples.fidelity`
        - ``sample_palette``, ``sample_brightness``: how far the colours of pictures, and their
          brightness, are from the real ones'; see `gandoctor.samples.features`
        - ``sample_error``: how far a picture is from the real one it is to become, where figures
          show both
        - ``sample_constant_share``: share of samples that are one flat colour
        - ``sample_min``, ``sample_max``: range of values; pictures of 8 bits are in 0..1
        - ``sample_repeat``: share of samples that have a copy in the same grid
        - ``sample_variety``, ``sample_noise``, ``sample_checkerboard``, ``sample_saturated``: what
          pictures tell of themselves, see `gandoctor.samples.evidence`
        - ``sample_stale``: 1 where the grid equals the one before, 0 where it has nothing to do
          with it

    facts : dict
        ``real_variance``, ``real_min``, ``real_max`` (where real data is known), ``sample_min`` and
        ``sample_max`` of the last step, ``sample_pictures`` (measured), ``sample_pictures_skipped``
        (beyond the budget, unreadable, or without a grid); ``fixed_noise``, 1 where a sample goes
        on from the one at its place of the look before, 0 where it does not.

    notes : tuple of str
        How the tiles of grids were found, and how sure that is.

    Notes
    -----
    At most 64 evenly spread steps are read, and 6 million pixels or 24 million values of arrays;
    what a file costs is known from its header, before any is decoded.
    """
    signals: list[Signal] = []
    facts: dict[str, float] = {}
    notes: list[str] = []
    done = skipped = 0
    for network, likely in gathering.series_of(pictures).items():
        tried = (
            (tag, fakes, gathering.batches_of(fakes, reals, root, given))
            for tag, fakes, reals in likely[:_MOST_SERIES]
        )
        tag, fakes, found = next(
            (one for one in tried if one[2].batches or one[2].pairs), ("", {}, None)
        )
        if found is None:
            skipped += sum(not p.written for ps in likely[0][1].values() for p in ps)
            continue
        if found.pairs:
            signals.append(variety.error_of(tag, network, found.pairs))
            continue
        skipped += found.skipped
        done += sum(len(fakes[s]) for s in found.batches)
        kept = _noise_kept(found)
        known = variety.facts_of(found.batches, found.real)
        if kept is not None:
            known["fixed_noise"] = float(kept)
        signals += variety.signals_of(tag, network, found)
        notes += _said_of(tag, found, kept)
        facts = {**known, **facts}
    if done or skipped:
        facts |= {"sample_pictures": float(done), "sample_pictures_skipped": float(skipped)}
    return tuple(signals), facts, tuple(notes)


def measure_drawn(
    drawn: Sequence[Drawn],
    pictures: Sequence[Picture],
    root: Path,
    last_step: int,
    given: Given | None = None,
) -> tuple[list[Signal], list[Drawn], list[str], NDArray[np.float32] | None]:
    """Measure samples that were drawn from checkpoints, beside the run's real data.

    Parameters
    ----------
    drawn : sequence of Drawn
    pictures : sequence of Picture
        As discovery indexed them; of these the real data is taken.
    root : Path
        Folder that their paths are relative to.
    last_step : int
        Step of samples whose own is unknown.
    given : Given, optional
        Real data that the user names; it goes before that of the run.

    Returns
    -------
    As `gandoctor.samples.drawing.signals_of`, and the real data in the shape and in the units of
    the last samples, None where there is none that fits.
    """
    from gandoctor.samples import drawing

    if given is not None:
        drawn = [drawing.as_given(d, given.picture) for d in drawn]
        real = given.like(tuple(drawn[-1].values.shape[1:]))
    else:
        real = gathering.real_of([p for p in pictures if p.step < 0], root)
    signals, chosen, notes = drawing.signals_of(drawn, real, last_step)
    return signals, chosen, notes, drawing.as_drawn(real, chosen[-1])


def _noise_kept(found: gathering.Gathered) -> bool | None:
    """Whether pictures of all looks were drawn from the same noise; None where nothing tells."""
    looks = [found.batches[s] for s in sorted(found.batches)]
    if len(looks) < 2 or any(look.told is None for look in looks):
        return None
    if found.layout is not None and found.layout.whole:
        return None
    share = pairing.kept_share([look.values for look in looks])
    return pairing.is_kept(share, min(len(look.values) for look in looks))


def _said_of(tag: str, found: gathering.Gathered, kept: bool | None) -> Iterator[str]:
    """How the tiles of a series' grids were found, and how sure that is; and of which noise."""
    layout = found.layout
    if layout is not None and layout.whole:
        yield (
            f"no tiles were found in the sample pictures of {tag}: they were looked at as a whole, "
            "which tells noise and flat colour, but not how varied the samples are"
        )
    elif layout is not None:
        yield (
            f"the sample pictures of {tag} were cut into {layout.count} tiles of "
            f"{layout.height} x {layout.width} pixels, told by {layout.told_by} ({layout.sure})"
        )
    if kept is not None:
        whose = "the same noise at each look" if kept else "noise drawn anew for each look"
        yield f"the samples of {tag} are of {whose}, by how they go with those of the look before"
