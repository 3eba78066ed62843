"""The config that a run was started from, found in the source tree.

By the settings that the run's record repeats.

The search is bounded, follows no symbolic link and decides nothing where two files could be meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.configs.splice import MAX_CHARS, SpliceError, number
from gandoctor.errors import InputError
from gandoctor.files.below import folders
from gandoctor.patterns import late_pattern
from gandoctor.prescribe.applying import inside, read_text
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gandoctor.configs.entries import Spot
    from gandoctor.model.signals import Setting

MAX_ENTRIES: Final = 20_000  # names that are looked at
MAX_FILES: Final = 3_000  # files that are opened
MAX_CHARS_IN_ALL: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 10
# Fewer equal settings than this are a coincidence.
ENOUGH: Final = 3
# Of a config, at most one setting in so many may have been overruled on the command line.
FEW: Final = 5
_SUFFIXES: Final = (
    ".yaml", ".yml", ".json", ".json5", ".jsonc", ".toml", ".py", ".txt", ".opt", ".cfg", ".ini",
    ".flags", ".args",
    ".gin", ".conf", ".sh", ".bash",
)  # fmt: skip
_COMMANDS: Final = (".sh", ".bash", ".txt", ".flags", ".args")
# Folders that hold what programs made, other people's code, or records of runs.
_SKIPPED: Final = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "wandb",
        "mlruns", "outputs",
        "multirun", "lightning_logs", "checkpoints", "tests", "test", "docs",
    }
)  # fmt: skip


# What only a run leaves behind: the folder it stands in holds records and copies.
_OF_A_RUN: Final = late_pattern(
    r"events\.out\.tfevents|\.hydra$|train_opt\.txt$|(loss_?|train(ing)?_?)?log\.(txt|csv|jsonl?)$|"
    r"(metrics|progress|history|scalars)\.(csv|jsonl?)$|wandb-summary\.json$"
)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a run's setting stands in the source tree.

    Attributes
    ----------
    file : str
        Relative to the tree, POSIX separators; empty where none, or no single one, was found.
    spot : Spot or None
        Its place there.
    why : str
        Why this file, or why none; fit to be shown to the user.
    """

    file: str
    spot: Spot | None
    why: str


class SourceTree:
    """A source tree: its config files, each read once.

    Parameters
    ----------
    root : Path
    run : Path
        Folder of the run, which is no part of the tree.
    spots_of : callable
        (file, text) -> the places of its values; SpliceError where the format is not known.
    is_record : callable
        (file, text) -> why the file is an output of a run; empty where it is not.
    """

    def __init__(
        self,
        root: Path,
        run: Path,
        spots_of: Callable[[str, str], Sequence[Spot]],
        is_record: Callable[[str, str], str],
    ) -> None:
        self.root = root
        self.run = run.resolve()
        self.texts: dict[str, str] = {}
        self.cut = False
        self._spots_of = spots_of
        self._spots: dict[str, Sequence[Spot]] = {}
        size = 0
        for file in sorted(self._files(root)):
            if len(self.texts) >= MAX_FILES or size > MAX_CHARS_IN_ALL:
                self.cut = True
                break
            try:
                text = read_text(inside(root, file), MAX_CHARS)
            except InputError:
                continue
            size += len(text)
            if not is_record(file, text):
                self.texts[file] = text

    def _files(self, root: Path) -> Iterator[str]:
        """Files that may be configs, relative to the tree."""
        seen = 0
        for folder in folders(root):
            entries = folder.entries or []
            if any(_OF_A_RUN.match(e.name) for e in entries):
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    self.cut = True
                    return
                if entry.is_symlink() or entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    if entry.name.lower() in _SKIPPED or Path(entry.path).resolve() == self.run:
                        continue
                    if folder.level + 1 < MAX_DEPTH:
                        folder.below.append(entry)
                    else:
                        self.cut = True
                elif entry.is_file() and entry.name.lower().endswith(_SUFFIXES):
                    yield f"{folder.name}{entry.name}"

    def spots(self, file: str, leaves: Iterable[str]) -> Sequence[Spot]:
        """The places of a file's values; none where it does not even hold the names."""
        text = self.texts[file]
        if not any(x in text or x.replace("_", "-") in text for x in leaves):
            return ()
        if file not in self._spots:
            try:
                self._spots[file] = self._spots_of(file, text)
            except SpliceError:
                self._spots[file] = ()
        return self._spots[file]

    def find(self, asked: Setting, recorded: Iterable[Setting]) -> Match:
        """The one file that a setting came from.

        A file qualifies if it has the setting under the same key (or the end of it) and with the
        same value, repeats at least `ENOUGH` of the run's settings (where the record or the file
        has fewer: all of them, but two), and contradicts few. It is chosen if every other file with
        that key repeats fewer, or contradicts more, and is better in neither.

        Parameters
        ----------
        asked : Setting
        recorded : iterable of Setting
            All settings of the same record.

        Returns
        -------
        Match
        """
        if self.cut:
            return Match("", None, "the source tree is too large to be searched to its end")
        known = {s.key: s.value for s in recorded if not isinstance(s.value, tuple)}
        leaf = asked.key.rpartition(".")[2]
        every = {file: self.spots(file, (leaf,)) for file in self.texts}
        having: list[_Resembling] = []  # files that have the key at all
        for file, spots in every.items():
            places = _places(asked, spots)
            if places:
                same = len(places) == 1 and agrees(places[0].value, asked.value)
                having.append(_Resembling(file, places[0], same, *_counted(spots, known)))
        good = [
            c for c in having if c.same and c.plausible and c.equal >= _enough(known, every[c.file])
        ]
        fit, rivals = _not_overruled(good, having)
        best = [a for a in fit if all(a is b or a.beats(b) for b in rivals)]
        if len(best) == 1:
            other = f", and differs in {best[0].other}" if best[0].other else ""
            said = f"{best[0].file} repeats {best[0].equal} of the run's settings{other}"
            return Match(best[0].file, best[0].spot, said)
        if fit:
            names = ", ".join(
                sorted(r.file for r in rivals if not any(f.beats(r) for f in fit))[:4]
            )
            return Match(
                "",
                None,
                f"several files of the source tree could be where `{asked.key}` came from: {names}",
            )
        return Match(
            "", None, f"no file of the source tree can be told to be where `{asked.key}` came from"
        )


def _enough(known: Mapping[str, object], spots: Sequence[Spot]) -> int:
    return min(ENOUGH, len(known), max(2, len(spots)))


@dataclass(frozen=True, slots=True)
class _Resembling:
    file: str
    spot: Spot
    same: bool  # whether it gives the setting the run's value, once
    equal: int
    other: int

    @property
    def plausible(self) -> bool:
        """Command-line options differ from a config now and then, from defaults often."""
        return self.equal > self.other * (1 if self.file.endswith(".py") else FEW)

    def beats(self, b: _Resembling) -> bool:
        """More settings equal and none more that differ, or as many equal and fewer that differ."""
        return (
            self.equal >= b.equal
            and self.other <= b.other
            and (self.equal, self.other) != (b.equal, b.other)
        )


def _places(setting: Setting, spots: Sequence[Spot]) -> list[Spot]:
    """Where a file has this very key; of several keys those that agree longest."""
    fits = [(n, p) for p in spots for n in [_common(setting.key, p.path)] if n]
    longest = max((n for n, _ in fits), default=0)
    return [p for n, p in fits if n == longest]


def _common(key: str, path: Sequence[str]) -> int:
    """How many parts two keys share at their ends; 0 unless one is the end of the other."""
    mine, theirs = ([p.replace("-", "_") for p in parts] for parts in (key.split("."), path))
    short = min(len(mine), len(theirs))
    return short if short and mine[-short:] == theirs[-short:] else 0


def _counted(spots: Sequence[Spot], known: Mapping[str, object]) -> tuple[int, int]:
    """How many of the run's settings a file repeats, and how many it gives another value."""
    by_leaf: dict[str, list[str]] = {}
    for key in known:
        by_leaf.setdefault(key.rpartition(".")[2].replace("-", "_"), []).append(key)
    equal: set[str] = set()
    other: set[str] = set()
    for spot in spots:
        for key in by_leaf.get(spot.path[-1].replace("-", "_"), ()) if spot.path else ():
            if _common(key, spot.path):
                (equal if agrees(spot.value, known[key]) else other).add(key)
    return len(equal), len(other - equal)


def _not_overruled(
    fit: Sequence[_Resembling], having: Sequence[_Resembling]
) -> tuple[Sequence[_Resembling], Sequence[_Resembling]]:
    """The candidates of the highest rank, and all files of that rank that have the key.

    A command line overrules a config, and both overrule the defaults in code: an edit of those
    would do nothing.
    """
    ranks: tuple[Callable[[str], bool], ...] = (
        lambda file: file.endswith(_COMMANDS),
        lambda file: not file.endswith((".py", *_COMMANDS)),
        lambda file: file.endswith(".py"),
    )
    for fits in ranks:
        mine = [c for c in fit if fits(c.file)]
        if mine:
            return mine, [c for c in having if fits(c.file)]
        if (
            fits is ranks[0]
            and not any(ranks[1](c.file) for c in fit)
            and any(fits(c.file) for c in having)
        ):
            return (), ()  # a script gives it another value, so the default is not what counts
    return (), ()


def agrees(one: object, other: object) -> bool:
    """Whether two values mean the same: numbers by size, whatever their notation, and words."""
    texts = [str(v).strip().strip("\"'") for v in (one, other)]
    a, b = (number(t) for t in texts)
    if a is not None and b is not None:
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    plain = [{"none": "null", "~": "null", "": "null"}.get(t.lower(), t.lower()) for t in texts]
    return plain[0] == plain[1]
