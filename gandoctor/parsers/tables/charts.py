"""Tables that dashboards export of their charts: TensorBoard's and W&B's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gandoctor.parsers.rows.names import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.parsers.rows.column import Column


def is_tensorboard(header: Sequence[str]) -> bool:
    """``Wall time, Step, Value``."""
    return [plain(h) for h in header] == ["wall_time", "step", "value"]


def is_wandb(header: Sequence[str]) -> bool:
    """``Step, run - metric, run - metric__MIN, run - metric__MAX``."""
    charted = sum(" - " in h for h in header)
    first = plain(header[0]) if header else ""
    counted = first == "step" or first.startswith("relative_time")
    return charted > 0 and (
        counted or (charted == len(header) - 1 and any(h.endswith("__MIN") for h in header))
    )


def chart_names(
    columns: list[Column], words: dict[str, list[str]], path: Path, notes: list[str]
) -> tuple[list[Column], bool, dict[str, list[str]]]:
    """Names of the charts that TensorBoard's and W&B's pages export; whether it is one."""
    names = [c.name for c in columns]
    if is_tensorboard(names):
        tag = re.split(r"(?:^|[-_])tag[-_]", path.stem)[-1]
        return [c.named(tag) if plain(c.name) == "value" else c for c in columns], True, words
    if not is_wandb(names):
        return columns, False, words
    charted = [n for n in names if " - " in n]
    bands = {n for n in names if n.endswith(("__MIN", "__MAX"))}
    if bands:
        notes.append(f"{len(bands)} __MIN and __MAX columns of a W&B chart are left out")
    runs = {n.rsplit(" - ", 1)[0] for n in charted}
    if len(runs) > 1:
        notes.append(f"the chart holds {len(runs)} runs: their names stay in front of the metric")
    out = []
    for c in columns:
        if c.name in bands or c.name.endswith(" - _step"):
            continue
        name = c.name.rsplit(" - ", 1)[1] if len(runs) == 1 and " - " in c.name else c.name
        out.append(c.named(name))
    kept = {c.name for c in out}
    return out, True, {n: w for n, w in words.items() if n in kept}
