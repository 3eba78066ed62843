"""Sample grids of many runs on one picture, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from benchmarks.zoo.pictures.houses.story import padded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.zoo.pictures.records import Record

WIDTH, HEIGHT, ACROSS = 360, 190, 4


def write(every: Sequence[Record], path: Path, *, labels: bool) -> None:
    """An early and the last grid of every run, with its name; with labels its outcome, too."""
    rows = -(-len(every) // ACROSS)
    sheet = Image.new("RGB", (WIDTH * ACROSS, HEIGHT * rows))
    pen = ImageDraw.Draw(sheet)
    for i, record in enumerate(every):
        x, y = WIDTH * (i % ACROSS), HEIGHT * (i // ACROSS)
        steps = sorted(record.grids)
        for k, step in enumerate((steps[len(steps) // 2 - 1], steps[-1])):
            sheet.paste(padded(record.tiles(step)).convert("RGB"), (x + k * 177, y + 14))
        told = f"{i} {record.name}"
        if labels:
            truth = record.about.get("truth", {})
            told = (
                f"{told} {record.about['game']} {record.about['what']} {truth.get('outcome', '')}"
            )
        pen.text((x, y), told, fill="white")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
