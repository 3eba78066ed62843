"""From files of code to settings: the training that is meant, and what it is given."""

from __future__ import annotations

import ast
from dataclasses import field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python import given
from gandoctor.configs.python import optimisers as opt
from gandoctor.configs.python.choosing import Choice, Hint, near
from gandoctor.configs.python.features import Training
from gandoctor.configs.python.index import index_of
from gandoctor.configs.python.making import Applied
from gandoctor.configs.python.units import Place, Unit, unit_of
from gandoctor.configs.python.values import Reader
from gandoctor.configs.python.ways import Given, Known
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gandoctor.configs.python.given import Slot
    from gandoctor.configs.python.optimisers import Optimiser
    from gandoctor.configs.python.ways import Plain

_BETAS: Final = (0.9, 0.999)
# So many options of a command line must be known to the code that does not name its script.
_ENOUGH: Final = 2


@dataclass(frozen=True, slots=True)
class Found:
    """One setting that was read in code.

    Attributes
    ----------
    setting : str
        ``lr_d``, ``n_critic``, ...
    value : number or word
    place : Place
        Where the value stands.
    how : str
        How it is kept: ``literal``, ``constant``, ``option``, ``dict``, ``class``, ``parameter``,
        ``attribute``, ``default`` of the library, ``command``, ``config`` or ``called``.
    sure : str
        ``high``, ``medium`` or ``low``.
    key : str
        What the code calls it.
    trail : tuple of (Unit, expr)
        From where it stands to where it is used; empty where it stands in no code.
    """

    setting: str
    value: Plain
    place: Place
    how: str
    sure: str = "high"
    key: str = ""
    trail: tuple[tuple[Unit, ast.expr], ...] = ()


@dataclass(slots=True)
class Code:
    """A code that trains a GAN.

    Attributes
    ----------
    units : list of Unit
    reader : Reader
    made : list of Optimiser
        All optimisers.
    d, g : Optimiser or None
        Those of the training.
    found : dict of str to Found
    home : str
        The file of the training.
    others : tuple of str
        Other files that train, or may.
    why : str
        How the choice was made.
    hint : Hint
        What was known of the run.
    training : Training or None
        What else it does.
    """

    units: list[Unit]
    reader: Reader
    made: list[Optimiser] = field(default_factory=list)
    d: Optimiser | None = None
    g: Optimiser | None = None
    found: dict[str, Found] = field(default_factory=dict)
    home: str = ""
    others: tuple[str, ...] = ()
    why: str = ""
    hint: Hint = field(default_factory=Hint)
    training: Training | None = None


def read_code(
    files: Mapping[str, str],
    hint: Hint | None = None,
    *,
    commands: Sequence[tuple[str, Mapping[str, Given]]] = (),
    configs: Mapping[str, Given] | None = None,
) -> Code | None:
    """Read the settings of the training in some files.

    Parameters
    ----------
    files : Mapping of str to str
        Text by name: scripts and notebooks.
    hint : Hint, optional
    commands : sequence of (str, Mapping of str to Given)
        Scripts and the options that command lines start them with, the likeliest first.
    configs : Mapping of str to Given, optional
        Values of config files by the ends of their keys.

    Returns
    -------
    Code or None
        None where no optimiser is made in them.
    """
    hint = hint or Hint()
    units = [unit_of(name, text) for name, text in files.items()]
    index = index_of(units)
    reader = Reader(index, {}, configs)
    code = Code(units, reader, hint=hint)
    code.made = opt.optimisers_of(reader)
    choice = Choice(reader, code.made, hint)
    chosen = choice.pick()
    if chosen is None:
        return None
    code.d, code.g, scope, home, why = chosen
    # of a collection of trainings the others are no part of this one
    mine = {id(o.unit) for o in (code.d, code.g) if o is not None}
    # nor is what a network can do by itself
    mine = mine if id(home) in mine else {id(home)}
    reader.rivals = {id(o.unit) for o in code.made if o.side in ("d", "g")} - mine
    reader.preferred = [u for u in near(index, home) if id(u) not in reader.rivals]
    _command(code, home, hint, commands)
    # what is preferred now, and given on a command line, may be another value
    main = code.d or code.g
    training = Training(
        reader,
        home,
        scope,
        line=main.call.lineno if main is not None else 0,
        moved={o.target: o.side for o in code.made if o.target},
    )
    code.home, code.why, code.training = home.file, why, training
    for found in _settings(code, training):
        # where another training looks as much like the one that is meant
        its = replace(found, sure="low") if choice.tied else found
        code.found.setdefault(found.setting, its)
    code.others = _others(code, home)
    return code


def _command(
    code: Code, home: Unit, hint: Hint, commands: Sequence[tuple[str, Mapping[str, Given]]]
) -> None:
    """Choose the command line that starts the training: by its script, else by its options."""
    names = {PurePosixPath(u.file).name for u in code.reader.preferred}
    options = code.reader.index.options
    ranked = [
        (PurePosixPath(script).name in names, len(given.keys() & options.keys()), -i, given)
        for i, (script, given) in enumerate(commands)
    ]
    ranked = [r for r in ranked if r[0] or r[1] >= _ENOUGH]
    best = max(ranked, key=lambda r: (r[0], r[1] > 0, r[2])) if ranked else None
    code.reader.commands = {**(best[3] if best else {}), **hint.arguments}


def _others(code: Code, home: Unit) -> tuple[str, ...]:
    named = {o.unit.file: None for o in code.made if o.side in ("d", "g") and o.unit is not home}
    for o in (code.d, code.g):
        if o is not None:
            named.pop(o.unit.file, None)
    return tuple(named)[:6]


# ---------------------------------------------------------------- its settings


def _settings(code: Code, training: Training) -> Iterator[Found]:
    for side, made in (("d", code.d), ("g", code.g)):
        if made is not None:
            yield from _of_optimiser(side, made, code.reader)
    yield from _decay(code)
    length = training.epochs()
    if length is not None:
        yield from _found(length[0], length[1])
    for setting, steps in training.steps():
        yield from _found(setting, steps)
    for setting, direct in (
        ("batch_size", training.batch),
        ("lambda_gp", None),
        ("clip_value", training.clip),
        ("d_dropout", training.dropout),
        ("grad_clip", training.gradient_clip),
    ):
        known = direct() if direct is not None else None
        if known is not None:
            yield from _found(setting, known)
    yield from _by_name(training)
    for setting, seen in (
        ("output_activation", training.output_activation()),
        ("data_range", training.data_range()),
    ):
        if seen is not None:
            said, node, unit = seen
            yield Found(setting, said, unit.place(node), "called", "medium", trail=((unit, node),))
    normed = training.spectral_norm()
    if normed is not None:
        node, unit = normed
        yield Found("spectral_norm", True, unit.place(node), "called", "medium")
    yield from _family(training)


def _family(training: Training) -> Iterator[Found]:
    family = training.family()
    if family is None:
        return
    said, node, unit, known = family
    if known is not None:
        for found in _found("loss_family", known):
            yield Found("loss_family", said, found.place, found.how, found.sure, found.key)
    elif node is not None:
        yield Found("loss_family", said, unit.place(node), "called", "medium")


def _by_name(training: Training) -> Iterator[Found]:
    for setting in (
        "epochs", "iterations", "batch_size", "latent_dim", "image_size", "n_critic", "n_gen",
        "lambda_gp", "r1_gamma",
        "label_smoothing", "lambda_l1", "grad_clip",
    ):  # fmt: skip
        known = training.named(setting)
        if setting == "label_smoothing":
            known = known or training.smoothing() or training.named("real_label")
        if setting == "image_size" and known is not None:
            known = training.side(known)
        if known is not None:
            yield from _found(setting, known, "medium")
    for setting, direct in (
        ("latent_dim", training.noise),
        ("image_size", training.image_size),
        ("lambda_gp", training.penalty),
        ("lambda_l1", training.pixels),
    ):
        known = direct()
        if known is not None:
            yield from _found(setting, known, "medium")


def _found(setting: str, known: Known, sure: str = "high") -> Iterator[Found]:
    place = known.place
    if place is None and known.trail:
        unit, node = known.trail[0]
        place = unit.place(node)
    if place is None:
        return
    if known.guessed:
        sure = "medium" if sure == "high" else "low"
    yield Found(setting, known.value, place, known.how, sure, known.key, known.trail)


def _of_optimiser(side: str, made: Optimiser, reader: Reader) -> Iterator[Found]:
    place = _named_place(made)
    yield Found(f"optimizer_{side}", made.name, place, "called", "high", made.target)
    rate = given.rate_of(made, reader)
    yield from _slot(f"lr_{side}", rate, made, given.default_rate(made))
    if "adam" in made.name:
        for i, slot in enumerate(given.betas_of(made, reader)):
            yield from _slot(f"beta{i + 1}_{side}", slot, made, _BETAS[i])


def _named_place(made: Optimiser) -> Place:
    func = made.call.func
    whole = made.unit.place(made.call)
    line = made.unit.line(func.end_lineno or func.lineno)
    return Place(whole.file, line, whole.row, whole.start, whole.end)


def _slot(setting: str, slot: Slot, made: Optimiser, default: float | None) -> Iterator[Found]:
    if slot.node is None:
        # what a partial lacks may be said where it is called
        is_open = isinstance(made.call, Applied) and made.call.site is None
        if default is not None and not is_open:
            yield Found(setting, default, _named_place(made), "default", "high", made.target)
        return
    known = slot.known
    if known is None or isinstance(known.value, bool) or not isinstance(known.value, int | float):
        return
    if not 0 <= known.value <= 10:
        return
    yield from _found(setting, known)


def _decay(code: Code) -> Iterator[Found]:
    for made in (code.d, code.g):
        if made is None:
            continue
        node = next((k.value for k in made.call.keywords if k.arg == "weight_decay"), None)
        known = code.reader.known(node, made.frame) if node is not None else None
        if known is not None:
            yield from _found("weight_decay", known)
