"""The ways to train that are tried: as it was, under each prescription, under a random edit."""

from __future__ import annotations

import json
import math
import random
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.configs.formats import format_of
from gandoctor.configs.splice import SpliceError, Target, number
from gandoctor.errors import GandoctorError, UsageError
from gandoctor.prescribe import applying, editing
from gandoctor.prescribe.overrides import override
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gandoctor.configs.splice import Value
    from gandoctor.model.report import Prescription, Report
    from gandoctor.model.signals import Run, Setting

LENGTHS: Final = ("steps", "epochs", "kimg")
# What the log itself says was asked for, as a file that can be changed: it is none of the user's.
SAID: Final = "options.json"
# No edit of these is a treatment.
KEPT: Final = frozenset({*LENGTHS, "seed", "log_every", "fid_samples", "num_classes", "image_size"})


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train.

    Attributes
    ----------
    name : str
        ``unchanged``, ``random``, or the number of a prescription.
    title : str
    text : str
        The config, whole.
    change : str
        ``key: old -> new``, empty where nothing is changed.
    prescription : Prescription or None
    """

    name: str
    title: str
    text: str
    change: str = ""
    prescription: Prescription | None = None


def arms_of(
    report: Report, run: Run, root: Path, config: str, most: int, *, by_options: bool = False
) -> tuple[list[Arm], list[str]]:
    """The arms, and why some prescriptions are none.

    Parameters
    ----------
    report : Report
    run : Run
    root : Path
        Folder of the run.
    config : str
        The config file, relative to it; empty where the settings stand in the log.
    most : int
        Prescriptions to try, the first that have a diff of this file.
    by_options : bool
        Whether the command takes options: then a record of them may be changed as well.
    """
    text = applying.read_text(applying.inside(root, config)) if config else _said(run)
    arms = [Arm("unchanged", "as it was", text)]
    left: list[str] = []
    for i, p in enumerate(report.prescriptions, 1):
        if len(arms) > most:
            break
        known = p.diff or (by_options and p.overrides)
        if not known or p.blocked_by or {e.file for e in p.edits} != {config}:
            what = "options" if by_options else "diff"
            left.append(f"{p.title}: no {what} of {config or 'the log'}")
            continue
        try:
            changed = _patched(p, root, config) if p.diff else _recorded(p, text, config)
            if by_options:
                options(text, changed, config)
        except GandoctorError as e:
            left.append(f"{p.title}: {e}")
            continue
        edits = ", ".join(f"{e.key}: {e.old} -> {e.new}" for e in p.edits)
        arms.append(Arm(str(i), p.title, changed, edits, p))
    control = _random(text, run, config, by_options=by_options)
    if control is not None:
        arms.append(control)
    return arms, left


def config_of(report: Report, run: Run, *, by_options: bool = False) -> str:
    """The file that the prescriptions change, else the one most settings stand in.

    Empty where these stand in the log, which says by which options the run was trained.

    Raises
    ------
    UsageError
        The run has none.
    """
    made = [p for p in report.prescriptions if p.base == "run"]
    files = [e.file for p in made if p.diff or (by_options and p.overrides) for e in p.edits]
    known = [s.file for s in run.settings.values()]
    files = files or [f for f in known if f] or known
    if not files or not (by_options or any(files)):
        hint = "name it with --config FILE"
        if files:
            hint += "; its settings stand in the log: where the training takes options, write"
            hint += " {args}, not {config}"
        raise UsageError("the run has no config that could be changed", run.name, hint)
    return max(dict.fromkeys(files), key=files.count)


def name_of(config: str) -> str:
    """The name that a changed config goes by."""
    return Path(config).name or SAID


def _said(run: Run) -> str:
    known = {s.key: s.value for s in run.settings.values() if not s.file}
    return json.dumps(known, indent=1, default=str) + "\n"


def _patched(p: Prescription, root: Path, config: str) -> str:
    with tempfile.TemporaryDirectory() as place:
        to = Path(place) / Path(config).name
        applying.apply(p, root, to=to)
        return applying.read_text(to)


def _recorded(p: Prescription, text: str, config: str) -> str:
    """A record of options as the run would leave it under a prescription."""
    return edited(text, config, {e.key: _value(e.new) for e in p.edits})


def _value(said: str) -> Value:
    try:
        found: Value = json.loads(said)
    except ValueError:
        return said
    return found


def options(old: str, new: str, config: str) -> list[str]:
    """What a command line says to train by one text of a config instead of by another.

    Raises
    ------
    SpliceError
        There is no such option, or one is switched: nothing says how that is written.
    """
    before = {s.key: s.value for s in editing.places(name_of(config), old)}
    words: list[str] = []
    for spot in editing.places(name_of(config), new):
        value = spot.value
        if before.get(spot.key) == value or isinstance(value, tuple):
            continue
        said = override(config, spot.key, value, old)
        if not said or (said.startswith("--") and isinstance(value, bool)):
            raise SpliceError(f"no option of the command line is known for {spot.key}")
        words += shlex.split(said)
    return words


def _random(text: str, run: Run, config: str, *, by_options: bool) -> Arm | None:
    """One number that the run is known to use, ten times larger or smaller, by lot."""
    rng = random.Random(f"trial {run.name}")  # noqa: S311  a control, always the same one
    known = [
        s
        for name, s in sorted(run.settings.items())
        if s.file == config and name not in KEPT and _size(s) is not None
    ]
    rng.shuffle(known)
    for setting in known:
        old = _size(setting) or 0.0
        factor = rng.choice([0.1, 10.0])
        if setting.name.startswith("beta"):  # no optimiser takes one above 1
            factor = 0.1
        new = float(f"{old * factor:.6g}")
        whole = isinstance(number(setting.value), int)
        if not new or (whole and new != int(new)):
            continue
        try:
            value = int(new) if whole else new
            changed = edited(text, config, {setting.key: value}, by_options=by_options)
        except GandoctorError:
            continue
        shown = f"{setting.key}: {setting.value} -> {new:g}"
        return Arm("random", "a random edit", changed, shown)
    return None


def _size(setting: Setting) -> float | None:
    value = number(setting.value)
    if value is None or isinstance(setting.value, bool) or not math.isfinite(value) or not value:
        return None
    return float(value)


def edited(text: str, config: str, values: Mapping[str, Value], *, by_options: bool = False) -> str:
    """A config's text with other values.

    Raises
    ------
    SpliceError
        One cannot be changed where it stands, or, by options, is none of the command line's.
    """
    if not values:
        return text
    targets = [Target(key, value) for key, value in values.items()]
    changed = format_of(name_of(config), text).splice(text, targets).text
    if by_options:
        options(text, changed, config)
    return changed


def shortened(
    text: str, config: str, run: Run, share: float, *, by_options: bool = False
) -> tuple[str, str]:
    """The config for a share of the steps, and what was changed; empty where nothing says how long.

    The length is taken from the text itself: a prescription may have changed it. Of options, one
    that the command line has.
    """
    for name in LENGTHS:
        setting = run.settings.get(name)
        if setting is None or setting.file != config:
            continue
        spots = [
            s for s in editing.places(name_of(config), text) if editing.ends_in(setting.key, s.key)
        ]
        value = number(spots[0].value) if spots else None
        if value is None or value <= 1:
            continue
        new = max(1, round(value * share))
        try:
            changed = edited(text, config, {spots[0].key: new}, by_options=by_options)
        except SpliceError:
            continue
        return changed, f"{spots[0].key}: {value} -> {new}"
    return text, ""


def seeded(text: str, config: str, run: Run, seed: int, *, by_options: bool = False) -> str | None:
    """The config with another seed; None where it has none, or the command line has none."""
    setting = run.settings.get("seed")
    if setting is None or setting.file != config:
        return None
    try:
        return edited(text, config, {setting.key: seed}, by_options=by_options)
    except SpliceError:
        return None


def seeds_of(run: Run, count: int) -> Sequence[int]:
    """The run's own seed and others."""
    own = run.settings["seed"].value if "seed" in run.settings else 0
    first = int(own) if isinstance(own, int) and not isinstance(own, bool) else 0
    return [first + 1000 * i for i in range(count)]


def untried(left: Sequence[str]) -> Iterator[str]:
    """Why prescriptions were left out, a few of them."""
    yield from left[:3]
    if len(left) > 3:
        yield f"and {len(left) - 3} more"
