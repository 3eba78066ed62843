"""The two zoos as those see them who try and train their failed runs."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import shlex
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from benchmarks.zoo import config as tiny
from benchmarks.zoo import cure, reports

if TYPE_CHECKING:
    from benchmarks.zoo.pictures.records import Record
    from gandoctor.api import Case

BASES: Final = "bases"
Config = dict[str, Any]  # canonical setting -> value


class Zoo(Protocol):
    """Runs that failed, and how to train them again."""

    @property
    def runs(self) -> Path:
        """Folder of runs with their truths beside them."""

    def chosen(self) -> list[str]:
        """Failed runs by lot, always the same ones."""

    def command(self, out: Path, case: Case, file: str, *, by_options: bool) -> str:
        """The user's own command, for ``--train``."""

    def config(self, case: Case, file: str, text: str) -> Config:
        """What a text of the config asks for.

        Raises
        ------
        ValueError
            It is not a config of this zoo.
        """

    def digest(self, config: Config) -> str:
        """Name of what is trained, whatever the seed."""

    def retrain(self, config: Config) -> dict[str, Any]:
        """Train a config whole; ``outcome``, and what else is known of it."""

    def load(self) -> None:
        """Load what a training needs, once for all that are forked."""


@dataclass(frozen=True)
class Tiny:
    """Points and digits, as ``python -m benchmarks.zoo run`` makes them.

    Attributes
    ----------
    runs : Path
    """

    runs: Path

    def chosen(self) -> list[str]:
        """Failed runs by lot, whose logs can be written here."""
        failed = (t["run"] for t in reports.truths(self.runs) if t["outcome"] == "failed")
        names = sorted(failed, key=cure._lot)
        if importlib.util.find_spec("tensorboardX"):
            return names
        return [n for n in names if not list((self.runs / n).rglob("events.out.*"))]

    def command(self, out: Path, case: Case, file: str, *, by_options: bool) -> str:
        train = f"{sys.executable} -m benchmarks.zoo.train --unmeasured"
        return f"{train} --config {{config}} --out {{out}}"

    def config(self, case: Case, file: str, text: str) -> Config:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(file).name
            path.write_text(text, "utf-8")
            return tiny.read(path)

    def digest(self, config: Config) -> str:
        return cure.digest(config)

    def retrain(self, config: Config) -> dict[str, Any]:
        return cure.retrain(config)

    def load(self) -> None:
        from benchmarks.zoo import train  # noqa: F401, PLC0415


@dataclass(frozen=True)
class Pictures:
    """Pictures, as ``python -m benchmarks.zoo.pictures write`` writes a half.

    Attributes
    ----------
    runs : Path
    sets : Path
        Drawn pictures and classifiers.
    """

    runs: Path
    sets: Path

    def chosen(self) -> list[str]:
        """Failed runs with a config by lot; no borderline ones.

        A mistake in the loop is none of a config's: none of those either.
        """
        return sorted(
            (t["run"] for t in reports.truths(self.runs) if _curable(t)),
            key=lambda name: hashlib.sha256(f"picture trial {name}".encode()).hexdigest(),
        )

    def command(self, out: Path, case: Case, file: str, *, by_options: bool) -> str:
        name = case.raw.root.name
        was = out / BASES / f"{name}.json"
        was.parent.mkdir(parents=True, exist_ok=True)
        was.write_text(json.dumps(self._base(case, file)) + "\n", "utf-8")
        words = [sys.executable, "-m", "benchmarks.zoo.pictures.once", "--was", str(was)]
        words += ["--sets", str(self.sets), "--out", "{out}"]
        words += ["{args}"] if by_options else ["--config", "{config}"]
        return shlex.join(words)

    def config(self, case: Case, file: str, text: str) -> Config:
        from benchmarks.zoo.pictures import once  # noqa: PLC0415

        return once.changed(self._base(case, file), text)

    def digest(self, config: Config) -> str:
        from benchmarks.zoo.pictures import settings  # noqa: PLC0415

        return settings.digest({k: v for k, v in config.items() if k != "seed"})

    def retrain(self, config: Config) -> dict[str, Any]:
        from benchmarks.zoo.pictures import data, judge  # noqa: PLC0415
        from benchmarks.zoo.pictures.measure import Bench  # noqa: PLC0415
        from benchmarks.zoo.pictures.train import Training  # noqa: PLC0415

        begun = time.process_time()
        try:
            drawn = data.load(config["data.name"], self.sets)
            record = Training(config, Bench(drawn, "cpu", self.sets)).run(["measured"])
            truth = judge.judge(record, drawn)
            told = {"outcome": truth.outcome, "borderline": truth.borderline}
        except Exception as e:  # a patch may ask for what cannot be
            told = {"outcome": "error", "error": f"{type(e).__name__}: {e}"[:300]}
        return told | {"cpu_seconds": round(time.process_time() - begun, 1)}

    def load(self) -> None:
        from benchmarks.zoo.pictures import once, train  # noqa: F401, PLC0415

    def _base(self, case: Case, file: str) -> dict[str, Any]:
        from benchmarks.zoo.pictures import once  # noqa: PLC0415

        record, truth = _known(self.runs, case.raw.root.name)
        return once.base(record, truth, case.raw.root / file)


@functools.lru_cache(maxsize=1)
def _known(runs: Path, name: str) -> tuple[Record, dict[str, Any]]:
    """What was trained and what is known of it; every arm of a run asks for it."""
    from benchmarks.zoo.pictures import release  # noqa: PLC0415

    truth = json.loads((runs / f"{name}.truth.json").read_text("utf-8"))
    return release.one(truth["half"], name), truth


def _curable(truth: dict[str, Any]) -> bool:
    from benchmarks.zoo.pictures.settings import DEFAULTS  # noqa: PLC0415

    failed = truth["outcome"] == "failed" and not truth["borderline"]
    return failed and truth["config"] and all(key in DEFAULTS for key in truth["broken"])
