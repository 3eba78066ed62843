"""One picture training as its user would begin it: ``python -m benchmarks.zoo.pictures.once``.

``--was FILE`` says what was trained before, and how it is written down (`base`); ``--config FILE``
is that run's config with some changes, or the changes are options in its own words. The log lies
below ``--out``, in the run's own style; nothing is measured that it would not have logged.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.zoo.pictures import cures, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.zoo.pictures.records import Record

# What StyleGAN's train.py calls what its training_options.json names otherwise.
OPTIONS: Final = {
    "glr": "G_opt_kwargs.lr",
    "dlr": "D_opt_kwargs.lr",
    "batch": "batch_size",
    "gamma": "loss_kwargs.r1_gamma",
}


def base(record: Record, truth: Mapping[str, Any], config: Path) -> dict[str, Any]:
    """What a training needs to know of the run before it; plain data.

    Parameters
    ----------
    record : Record
    truth : mapping
        As `labels.write` leaves it.
    config : Path
        The run's config.
    """
    return {
        "settings": record.settings,
        "about": {k: record.about[k] for k in ("name", "game")},
        **{k: truth[k] for k in ("house", "told", "written")},
        "file": config.name,
        "text": config.read_text("utf-8"),
    }


def changed(was: Mapping[str, Any], text: str) -> settings.Settings:
    """The settings under another text of the config.

    Raises
    ------
    ValueError
        A key that the training does not know, or a value of the wrong kind.
    """
    from gandoctor.prescribe.editing import places  # noqa: PLC0415

    before = {spot.key: spot.value for spot in places(was["file"], was["text"])}
    now = {spot.key: spot.value for spot in places(was["file"], text)}
    return _with(was, {key: value for key, value in now.items() if before.get(key) != value})


def asked(was: Mapping[str, Any], options: Sequence[str]) -> settings.Settings:
    """The settings under options: ``--key value``, ``--key=value`` or ``key=value``.

    Raises
    ------
    ValueError
        As `changed`.
    """
    given: dict[str, Any] = {}
    words = list(options)
    while words:
        key, equals, value = words.pop(0).partition("=")
        key = key.removeprefix("--").removeprefix("+")
        if not equals and not words:
            raise ValueError(f"{key}: no value")
        given[OPTIONS.get(key, key)] = yaml.safe_load(value if equals else words.pop(0))
    return _with(was, given)


def _with(was: Mapping[str, Any], given: Mapping[str, Any]) -> settings.Settings:
    found = dict(was["settings"])
    for key, value in given.items():
        found |= cures.change(was["written"], key, value)
    return settings.make(found)


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.pictures.once",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--was", type=Path, required=True)
    parser.add_argument("--sets", type=Path, required=True, help="drawn pictures and classifiers")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given, options = parser.parse_known_args(None if argv is None else list(argv))
    was = json.loads(given.was.read_text("utf-8"))
    try:
        if given.config:
            config = changed(was, given.config.read_text("utf-8"))
        else:
            config = asked(was, options)
    except ValueError as e:
        parser.error(str(e))
    train(was, config, given.sets, given.out / "run")
    return 0


def train(was: Mapping[str, Any], config: settings.Settings, sets: Path, out: Path) -> None:
    """Train some settings, and write down what the run before would have."""
    import torch  # noqa: PLC0415

    from benchmarks.zoo.pictures import data, houses  # noqa: PLC0415
    from benchmarks.zoo.pictures.measure import Bench  # noqa: PLC0415
    from benchmarks.zoo.pictures.train import Training  # noqa: PLC0415

    torch.set_num_threads(1)
    bench = Bench(data.load(config["data.name"], sets), "cpu", sets)
    told = {"fid": was["told"]["fid"], "drawn": was["told"]["samples"]}
    record = Training(config, bench).run([name for name, wanted in told.items() if wanted])
    record.about |= was["about"]
    houses.write(record, out, was["house"])


if __name__ == "__main__":
    raise SystemExit(main())
