"""Training prints among the stored outputs of a Jupyter notebook."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, Final

from gandoctor.configs import loss_calls
from gandoctor.errors import InputError
from gandoctor.files.reading import load_text, text_of_head
from gandoctor.lexicon.players import is_whole
from gandoctor.model.signals import Reading, Setting
from gandoctor.parsers.printed import cells as shown_by
from gandoctor.parsers.printed import engine
from gandoctor.parsers.printed.places import Places
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gandoctor.model.signals import SettingValue

NAME: Final = "notebook"
_LOSS: Final = late_pattern(r"loss|err(?:or)?(?![a-z])|mse|损失", re.IGNORECASE)
_MOST_SETTINGS: Final = 500
_MOST_SOURCE: Final = 200_000  # characters of one cell


def sniff(path: Path, head: bytes) -> float:
    """How sure we are that this is a notebook with a training in it; `head` is the first 64 KiB."""
    if path.suffix.lower() != ".ipynb":
        return 0.0
    text = text_of_head(head).lstrip()
    if not text.startswith("{"):
        return 0.0
    if len(head) >= 1 << 16:
        return 0.6  # the outputs may stand further down
    try:
        engine.read_text(_printed(_cells(text, path)), path.stem)
    except InputError:
        return 0.2
    return 0.9


def read(path: Path) -> Reading:
    """Read the training prints that a notebook has stored, and the constants that its cells assign.

    Raises
    ------
    InputError
        The file is no notebook, or no training is printed in it.
    """
    text, lost = load_text(path)
    cells = _cells(text, path)
    training, notes = _game(cells)
    shown, places = shown_by.pictures(training, text), Places()
    try:
        printed = shown_by.printed_with(training, shown) if shown else _printed(training)
        reading = engine.read_text(printed, path.stem, places)
    except InputError as fault:
        raise InputError(
            f"a notebook, but {fault.what}", path.name, "run it and save it with its outputs"
        ) from None
    lost += [reading.lost] if reading.lost else []
    trees = list(_trees(cells))
    called = loss_calls.family_of(trees)
    own = [Setting("", called, "loss_call", how="called", confidence="medium")] if called else []
    constants = {s.key: s for s in (*own, *_constants(trees), *reading.settings)}
    return Reading(
        signals=reading.signals,
        settings=tuple(constants.values()),
        lost="; ".join(lost) or None,
        step_unit=reading.step_unit,
        notes=(*reading.notes, *notes),
        pictures=shown_by.placed(shown, places.steps()),
    )


def _cells(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        raise InputError("a damaged notebook: no valid JSON", path.name) from None
    if not isinstance(data, dict):
        raise InputError("no notebook", path.name)
    cells = data.get("cells")
    if cells is None:  # nbformat 3
        sheets = data.get("worksheets")
        if isinstance(sheets, list):
            held = [s.get("cells") for s in sheets if isinstance(s, dict)]
            lists = [c for c in held if isinstance(c, list)]
            cells = [c for one in lists for c in one] if lists or not held else None
    if not isinstance(cells, list):
        raise InputError("no notebook: it has no cells", path.name)
    return [c for c in cells if isinstance(c, dict) and c.get("cell_type") == "code"]


def _printed(cells: list[dict[str, Any]]) -> str:
    """What the cells printed, a mark between them: each may be a training of its own."""
    return "\n".join(f"{engine.MARK}\n{out}" for out in map(shown_by.printed, cells) if out)


def _game(cells: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The cells of the game between D and G, and what is to be said of the others.

    Cells are phases of their own. Where some print the losses of both players, what others print of
    losses is no part of the game (a pre-training, a classifier), though it may go by the same
    names, and they count other steps.
    """
    # Where no other cell prints a training, the longest output need not be read twice.
    longest = max(range(len(cells)), key=lambda k: len(shown_by.printed(cells[k])), default=0)
    tags = [_tags_of(cell) if k != longest else [] for k, cell in enumerate(cells)]
    if not any(tags):
        return cells, []
    tags[longest] = _tags_of(cells[longest])
    if not any(map(is_whole, tags)):
        return cells, []
    apart = [not is_whole(own) and any(_LOSS.search(tag) for tag in own) for own in tags]
    kept = [cell for cell, away in zip(cells, apart, strict=True) if not away]
    names = list(
        dict.fromkeys(tag for own, away in zip(tags, apart, strict=True) if away for tag in own)
    )
    if not names:
        return kept, []
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    cells_said = f"{sum(apart)} cell{'s' * (sum(apart) > 1)}"
    return kept, [
        (
            f"{cells_said} beside the training of D and G print losses of their own, "
            f"which are left out: {shown}"
        )
    ]


def _tags_of(cell: dict[str, Any]) -> list[str]:
    """Names of what a cell prints; none where that is no training."""
    out = shown_by.printed(cell)
    if not out:
        return []
    try:
        return [s.tag for s in engine.read_text(out, "").signals]
    except InputError:
        return []


def _trees(cells: list[dict[str, Any]]) -> Iterator[ast.Module]:
    """The code of the cells; parsed, not run."""
    for cell in cells:
        source = shown_by.joined(cell.get("source", cell.get("input")))[:_MOST_SOURCE]
        lines = [
            "" if line.lstrip().startswith(("%", "!", "?")) else line
            for line in source.splitlines()
        ]
        try:
            yield ast.parse("\n".join(lines))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue


def _constants(trees: list[ast.Module]) -> Iterator[Setting]:
    """``lr = 0.0002`` at the top level of a cell."""
    found: dict[str, SettingValue] = {}
    for tree in trees:
        for node in tree.body:
            if (
                not isinstance(node, ast.Assign)
                or len(node.targets) != 1
                or not isinstance(node.targets[0], ast.Name)
            ):
                continue
            try:
                value = ast.literal_eval(node.value)
            except (ValueError, TypeError, MemoryError, RecursionError):
                continue
            if isinstance(value, bool | int | float) or (
                isinstance(value, str) and len(value) < 100
            ):
                found[node.targets[0].id] = value
    named = list(found.items())[:_MOST_SETTINGS]
    return (Setting("", value, key, how="constant", confidence="low") for key, value in named)
