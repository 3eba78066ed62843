"""The samples of a training as they move, as a strip of frames: SVG by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.demo.toy import Film

SIDE: Final = 150
GAP: Final = 8
FRAMES: Final = 6
GREY: Final = "#8a94a0"
BLUE: Final = "#2f6fde"
_ROUND: Final = 'stroke-width="3" stroke-linecap="round" fill="none"'
REACH: Final = 1.6  # of the plane that is seen, from its middle


def strip(film: Film, ident: str) -> str:
    """Six frames side by side, from the start to the end; real points grey, samples blue.

    Parameters
    ----------
    film : Film
    ident : str
        Of the points that all frames share, unique on the page.
    """
    chosen = np.linspace(0, len(film.frames) - 1, FRAMES).round().astype(int)
    width = FRAMES * SIDE + (FRAMES - 1) * GAP
    points = f'stroke="{GREY}" stroke-opacity=".55" {_ROUND}'
    said = "Samples over real data, from the first step to the last"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SIDE + 18}" ',
        f'width="{width}" height="{SIDE + 18}" role="img" aria-label="{said}">',
        f'<defs><path id="{ident}" d="{_dots(film.real)}" {points}/></defs>',
    ]
    for place, i in enumerate(chosen):
        out += [
            f'<g transform="translate({place * (SIDE + GAP)} 0)">',
            f'<rect width="{SIDE}" height="{SIDE}" rx="4" fill="none" stroke="{GREY}" ',
            f'stroke-opacity=".5"/><use href="#{ident}"/>',
            f'<path d="{_dots(film.frames[i])}" stroke="{BLUE}" stroke-opacity=".75" {_ROUND}/>',
            f'<text x="{SIDE / 2:g}" y="{SIDE + 14}" text-anchor="middle" font-size="11" ',
            f'font-family="sans-serif" fill="{GREY}">step {film.steps[i]:,}</text></g>',
        ]
    return "".join(out) + "</svg>"


def _dots(points: NDArray[np.float32]) -> str:
    """Points as strokes of no length; those outside of the frame are left out."""
    finite = points[np.isfinite(points).all(axis=1)]
    inside = finite[(np.abs(finite) < REACH).all(axis=1)]
    x = (inside[:, 0] + REACH) / (2 * REACH) * SIDE
    y = (REACH - inside[:, 1]) / (2 * REACH) * SIDE
    return "".join(f"M{a:.0f} {b:.0f}h0" for a, b in zip(x, y, strict=True))
