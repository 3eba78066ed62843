"""A toy GAN with a failure of your choice: trained, diagnosed, patched and trained again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor import api
from gandoctor import compare as comparing
from gandoctor.demo import recipes
from gandoctor.demo.strip import strip
from gandoctor.errors import UsageError, near
from gandoctor.files import writing
from gandoctor.prescribe import applying
from gandoctor.probe.backend import torch
from gandoctor.reporters import html
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gandoctor.demo.toy import Film
    from gandoctor.model.report import Prescription, Report

__all__ = ["Shown", "run"]

CONFIG: Final = "config.yaml"
PAGE: Final = "report.html"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a demo left behind.

    Attributes
    ----------
    before, after : Report
        `after` is None where there was nothing to change.
    patch : Prescription or None
    page : Path
        The page to look at.
    """

    before: Report
    after: Report | None
    patch: Prescription | None
    page: Path


def run(
    name: str, out: Path, *, seed: int = 0, told: Callable[[str, float], None] | None = None
) -> Shown:
    """Train with a failure, diagnose, apply the first patch, train again, compare.

    Parameters
    ----------
    name : str
        One of `recipes.DEMOS`.
    out : Path
        A new folder: ``before``, ``after``, strips of samples and ``report.html`` are put there.
    seed : int
    told : callable, optional
        Called with what is done, and the share of it.

    Raises
    ------
    UsageError
        There is no such demo, torch is missing, or the folder holds something.
    """
    if name not in recipes.DEMOS:
        hint = near(name, recipes.DEMOS) or f"one of {', '.join(recipes.DEMOS)}"
        raise UsageError(f"there is no demo {name!r}", "gandoctor demo", hint)
    torch("the demo")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("is there already", f"--output {out}", "give the name of a new folder")
    told = told or (lambda what, share: None)
    options = api.Options(use_preferences=False)
    first = out / "before"
    first.mkdir(parents=True)
    recipes.write(recipes.config_of(recipes.DEMOS[name], seed), first / CONFIG)
    film = _trained(first, lambda share: told("training", share / 2))
    report = api.analyze(first, options)
    (out / "before.svg").write_text(strip(film, "before"), "utf-8")
    patch = api.first_patch(report)
    if patch is None:
        writing.write_text(out / PAGE, html.render(report))
        told("", 1.0)
        return Shown(report, None, None, out / PAGE)
    second = out / "after"
    second.mkdir()
    applying.apply(patch, first, to=second / CONFIG)
    other = _trained(second, lambda share: told("training again", 0.5 + share / 2))
    (out / "after.svg").write_text(strip(other, "after"), "utf-8")
    found, after = comparing.run(first, second, options)
    strips = [
        (f"Before: {report.verdict}", strip(film, "before")),
        (f"After: {patch.title}", strip(other, "after")),
    ]
    writing.write_text(out / PAGE, html.render_comparison(found, shown=strips))
    told("", 1.0)
    return Shown(report, after, patch, out / PAGE)


def _trained(folder: Path, told: Callable[[float], None]) -> Film:
    """Train as a folder's config says; the run is left in it."""
    from gandoctor.demo.toy import Toy

    toy = Toy(recipes.read(folder / CONFIG))
    film = toy.run(told)
    toy.save(folder, film)
    return film
