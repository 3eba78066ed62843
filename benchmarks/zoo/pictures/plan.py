"""Which picture runs there are: recipes as they are, varied, and with one thing wrong."""

from __future__ import annotations

import functools
import itertools
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.zoo.pictures import settings
from benchmarks.zoo.plan import applied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.zoo.pictures.settings import Settings

HALVES: Final = ("tune", "judge", "unseen", "fresh")
Task = dict[str, Any]  # settings, and what is kept with the record


@functools.cache
def given() -> Any:
    """``plan.yaml``."""
    return yaml.safe_load((Path(__file__).parent / "plan.yaml").read_text("utf-8"))


def cell(half: str, data: str, game: str) -> Settings:
    """The recipe of a game on a data set."""
    config = settings.make({"data.name": data})
    for layer in (given()["halves"][half]["all"], given()["games"][game]):
        config |= applied(config, layer)
    return settings.make(config)


def tasks(half: str) -> list[Task]:
    """The runs of a half in an order by lot; ``all`` interleaves both halves."""
    if half == "all":
        both = zip(tasks("tune"), tasks("judge"), strict=True)
        return [task for pair in both for task in pair]
    chosen: dict[str, Task] = {}
    for role, count in given()["halves"][half].get("size", given()["size"]).items():
        chosen |= dict(itertools.islice(_by_lot(half, role, set(chosen)), count))
    order = list(chosen.values())
    random.Random(f"order {half}").shuffle(order)
    return order


def _by_lot(half: str, role: str, known: set[str]) -> Iterator[tuple[str, Task]]:
    """Every kind in turn, each time on another cell: no kind is rare by chance."""
    draw = random.Random(f"{half} {role}")
    strengths = given()["halves"][half].get("strengths", half)
    kinds = {what: _cells(half, entry, draw) for what, entry in _entries(role).items()}
    seen = set(known)
    turns = list(kinds)
    draw.shuffle(turns)
    for turn in itertools.count():
        found = False
        for what in turns:
            if turn >= len(kinds[what]):
                continue
            found = True
            entry = _entries(role)[what]
            changes = entry["set"] if role != "fault" else _strength(entry[strengths], turn)
            about = {"role": role, "what": what}
            task = _task(half, kinds[what][turn], about, changes, entry)
            if task["name"] not in seen:
                seen.add(task["name"])
                yield task["name"], task
        if not found:
            return


def _strength(strengths: list[Any], turn: int) -> Any:
    return strengths[turn % len(strengths)]


def _entries(role: str) -> Mapping[str, Any]:
    if role == "base":  # every game in turn
        return {game: {"set": {}, "games": [game]} for game in given()["games"]}
    found: Mapping[str, Any] = given()[f"{role}s"]
    return found


def _cells(half: str, entry: Mapping[str, Any], draw: random.Random) -> list[tuple[str, str, int]]:
    part = given()["halves"][half]
    games = list(entry.get("games", given()["games"]))
    draw.shuffle(games)
    made = []
    for i, game in enumerate(games):  # data sets and seeds by turns
        for j, data in enumerate(part["data"]):
            made += [
                ((i + j) % 2 + 2 * k, data, game, seed) for k, seed in enumerate(part["seeds"])
            ]
    made.sort(key=lambda one: one[0])
    return [one[1:] for one in made]


def _task(
    half: str,
    at: tuple[str, str, int],
    about: Mapping[str, str],
    changes: Mapping[str, Any],
    entry: Mapping[str, Any],
) -> Task:
    data, game, seed = at
    role, what = about["role"], about["what"]
    base = cell(half, data, game) | {"seed": seed}
    config = settings.make(base | applied(base, changes))
    fault = what if role == "fault" else ""
    keys = entry.get("wrong", changes) if fault else ()
    wrong = {k: base[k] for k in keys if k not in settings.HIDDEN and config[k] != base[k]}
    if config["code.bug"]:
        wrong = {}
    return {
        "name": settings.digest(half, config),
        "settings": config,
        "about": {
            "half": half,
            "game": game,
            "role": role,
            "what": what if role != "base" else "",
            "fault": fault,
            "wrong": wrong,
            "twin": settings.digest(half, base),
        },
    }
