"""Belief against outcome, as a table and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.model.measured import Share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.weigh.gather import Seen

BINS = 5
SIZE, EDGE = 320, 44
COLOURS = {"real": "#c2410c", "zoo": "#2563eb", "pictures": "#15803d"}


def write(seen: Sequence[Seen], p: NDArray[np.float64], folder: Path) -> None:
    """Write ``reliability.svg`` into a folder and print the table."""
    failed = np.array([s.run.failed for s in seen])
    source = np.array([s.run.source for s in seen])
    at = np.minimum(BINS - 1, (p * BINS).astype(int))
    marks: list[str] = []
    print("| source | said | runs | mean said | failed [95 % interval] |\n|---|---|---|---|---|")
    for name in sorted(set(source)):
        for k in range(BINS):
            mine = (source == name) & (at == k)
            if not mine.any():
                continue
            share = Share(int(failed[mine].sum()), int(mine.sum()))
            said = float(p[mine].mean())
            print(
                f"| {name} | {k / BINS:.1f} to {(k + 1) / BINS:.1f} | {share.n} | {said:.2f} | "
                f"{share} |"
            )
            marks.append(_mark(said, share, COLOURS.get(name, "#555"), name))
    (folder / "reliability.svg").write_text(_picture(marks, sorted(set(source))))


def _x(p: float) -> float:
    return EDGE + p * SIZE


def _y(p: float) -> float:
    return 12 + (1 - p) * SIZE


def _mark(said: float, share: Share, colour: str, name: str) -> str:
    low, high = share.interval or (0.0, 0.0)
    value = share.value or 0.0
    return (
        f'<g stroke="{colour}" fill="{colour}"><line x1="{_x(said):.1f}" x2="{_x(said):.1f}" '
        f'y1="{_y(low):.1f}" '
        f'y2="{_y(high):.1f}"/><circle cx="{_x(said):.1f}" cy="{_y(value):.1f}" '
        f'r="{2 + share.n**0.5 / 2:.1f}">'
        f"<title>{name}: said {said:.2f}, {share}</title></circle></g>"
    )


def _picture(marks: Sequence[str], sources: Sequence[str]) -> str:
    width, height = SIZE + EDGE + 14, SIZE + 60
    ticks = "".join(
        f'<text x="{_x(t):.0f}" y="{SIZE + 28}" text-anchor="middle">{t:g}</text>'
        f'<text x="{EDGE - 6}" y="{_y(t) + 4:.0f}" text-anchor="end">{t:g}</text>'
        for t in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    legend = "".join(
        f'<text x="{EDGE + 12}" y="{30 + 16 * i}" fill="{COLOURS.get(s, "#555")}">{s}</text>'
        for i, s in enumerate(sources)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'<rect x="{EDGE}" y="12" width="{SIZE}" height="{SIZE}" fill="none" stroke="#999"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#bbb" '
        'stroke-dasharray="4"/>'
        f"{ticks}{''.join(marks)}{legend}"
        f'<text x="{_x(0.5)}" y="{SIZE + 48}" text-anchor="middle">said: probability that the run '
        "has failed</text>"
        f'<text transform="translate(12 {_y(0.5)}) rotate(-90)" '
        'text-anchor="middle">failed</text></svg>\n'
    )
