"""What a project asks of gandoctor.

``gandoctor.toml`` or ``[tool.gandoctor]`` in ``pyproject.toml``.

The folder that the user works in speaks for its project, or else the nearest folder above it, up to
the root of the repository. It may say everything. What lies in the analysed folder came with the
run, perhaps from a stranger, even where the user works in it: its own file may say what the run's
names mean (``map``, ``loss``), and nothing of what is judged. Whatever is wrong with it is told in
the report, which stands without it.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.configs import bounded
from gandoctor.errors import UsageError
from gandoctor.options import KEYS, OF_A_RUN, SAID_IN_FILES, Wish, joined
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

FILE: Final = "gandoctor.toml"
PROJECT_FILE: Final = "pyproject.toml"
MAX_BYTES: Final = 1 << 20
_BY_WHOM: Final = (
    f"by options, or by the {FILE} of the folder you work in, where that is not what is analysed"
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """Attributes follow the keys of ``gandoctor.toml``.

    Attributes
    ----------
    map : Mapping of str to str
        Role to tag, as ``--map``.
    loss : str or None
        Loss family, as ``--loss``.
    ignore : Mapping of str to str
        Rule id to the reason why it is ignored.
    select : tuple of str
        Rule ids to ask, as ``--select``; empty for all.
    severity : Mapping of str to str
        Rule id to the severity it has in this project.
    fail_on : str or None
        As ``--fail-on``.
    rules : tuple of str
        Folders with more rules, as ``--rules``.
    origins : Mapping of str to str
        Where an entry stands, as errors name it: ``map.d_loss`` in ``gandoctor.toml:map.d_loss``.
    refused : tuple of str
        What a run's own file asks for and does not get, one sentence a file.
    of_run : frozenset of str
        Roles whose tag is the run's own word.
    """

    map: Mapping[str, str] = field(default_factory=dict)
    loss: str | None = None
    ignore: Mapping[str, str] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    fail_on: str | None = None
    rules: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    of_run: frozenset[str] = frozenset()


def load(here: Path, run: Path | None, others: AbstractSet[Path] = frozenset()) -> Preferences:
    """Read the preferences of the user's project and what a run says of itself.

    Parameters
    ----------
    here : Path
        The folder that the user works in.
    run : Path or None
        What is analysed, a folder or a file. Where both name a role or a loss family, its own word
        counts.
    others : set of Path
        What else is analysed in the same breath, as `folders` gives it: none of it speaks for the
        project either.

    Raises
    ------
    UsageError
        A file of the project that does not parse, or an entry that means nothing.
    """
    here, mine = _real(here), _folder(run) if run is not None else None
    home, inside = _project(here, (mine, others))
    merged = Preferences(
        refused=tuple(said for folder in inside for said in _unheard(folder, mine, here))
    )
    for path, data in _files(home) if home else ():
        merged = _joined(merged, _read(data, os.path.relpath(path, here)), path.parent)
    if mine is None:
        return merged
    for name in (PROJECT_FILE, FILE):
        said = _of_run(mine / name, mine)
        merged = replace(_joined(merged, said, mine), of_run=merged.of_run | set(said.map))
    return merged


def repository(folder: Path) -> Path | None:
    """The root of the repository that an absolute path lies in; None where it lies in none."""
    above = (folder, *folder.parents)
    return next((f for f in above if os.path.lexists(f / ".git")), None)


def folders(analysed: Iterable[Path]) -> frozenset[Path]:
    """The real folders that are analysed, or that hold an analysed file."""
    return frozenset(map(_folder, analysed))


def _folder(analysed: Path) -> Path:
    try:
        return _real(analysed if analysed.is_dir() else analysed.parent)
    except OSError:  # a name that no file can have: whoever opens it says so
        return _real(analysed.parent)


def _real(path: Path) -> Path:
    # A loop of links is no error here: whoever opens it says so.
    return Path(os.path.realpath(path))


def _project(
    here: Path, analysed: tuple[Path | None, AbstractSet[Path]]
) -> tuple[Path | None, list[Path]]:
    """The nearest folder with preferences, up to the repository's root, outside what is analysed.

    With it the folders nearer than that, or than the root, which lie in what is analysed and hold a
    file of ours.
    """
    above = (here, *here.parents)
    root = repository(here) or here
    mine, others = analysed
    inside: list[Path] = []
    for folder in above[: above.index(root) + 1]:
        if any(f == mine or f in others for f in (folder, *folder.parents)):
            inside += [folder] if os.path.lexists(folder / FILE) else []
        elif any(_files(folder)):
            return folder, inside
    return None, inside


def _unheard(folder: Path, run: Path | None, here: Path) -> Iterator[str]:
    """Why a file near the user says nothing; of the run's own more is said where it is read."""
    if folder != run:
        where = os.path.relpath(folder / FILE, here)
        yield (
            f"{where} lies in what is analysed, and was not read: what is judged is said {_BY_WHOM}"
        )


def _files(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files of a folder that hold preferences; the later file's word counts."""
    for path in (folder / PROJECT_FILE, folder / FILE):
        data = _table(path)
        if data:
            yield path, data


def _of_run(path: Path, run: Path) -> Preferences:
    """What a run's own file says of the run; its faults are told, and cost the run nothing else."""
    shown = f"{run.name}/{path.name}"
    if not _real(path).is_relative_to(run):
        return Preferences(
            refused=(f"{path.name} of the run is a link that leads out of it: it was not read",)
        )
    try:
        data = _table(path, shown)
        said = _read({k: v for k, v in data.items() if k in OF_A_RUN or k not in KEYS}, shown)
    except UsageError as e:
        where = e.where.replace(shown, f"{path.name} of the run", 1)
        return Preferences(refused=(f"{where} {e.what}: it was left out",))
    asked = [f"'{key}'" for key in KEYS if key in data and key not in OF_A_RUN]
    if not asked:
        return said
    sentence = (
        f"{path.name} of the run asks for {', '.join(asked)}: not followed, as a run may only say "
        "what its names mean "
        f"('map', 'loss'); what is judged is said {_BY_WHOM}"
    )
    return replace(said, refused=(sentence,))


def _table(path: Path, shown: str = "") -> dict[str, Any]:
    """The preferences in a file; empty where there are none."""
    try:
        if not path.is_file():
            return {}
        size = path.stat().st_size
    except OSError:  # a folder that may not be entered: the reader of the logs says so
        return {}

    where = shown or path.name
    theirs = path.name == PROJECT_FILE
    if size > MAX_BYTES:
        if theirs:
            return {}
        raise UsageError(
            f"is larger than {MAX_BYTES >> 20} MiB", where, "nobody has that much to say"
        )
    try:
        data: Any = bounded.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise UsageError(
            f"cannot be read ({e.strerror})", where, "check the file's permissions"
        ) from None
    except ValueError as e:  # no TOML, no UTF-8, or more than a config needs
        if theirs:  # somebody else's file: its faults are not ours to report
            return {}
        raise UsageError(
            f"does not parse as TOML ({e})", where, "mend it or take it away"
        ) from None
    for key in ("tool", "gandoctor") if theirs else ():
        data = data.get(key, {}) if isinstance(data, dict) else {}
    return data if isinstance(data, dict) else {}


def _read(data: dict[str, Any], where: str) -> Preferences:
    for key in data:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(KEYS)}"
            raise UsageError(f"unknown key {key!r}", where, hint)
    said: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for wish in SAID_IN_FILES:
        if wish.key not in data:
            continue
        value = said[wish.field] = _READERS[wish.kind](data[wish.key], wish, where)
        spot = f"{where}:{wish.key}"
        if wish.kind == "word":
            origins |= {wish.key: spot} if wish.of_run else {}
        elif wish.kind == "words":
            origins |= {f"{wish.key}.{name}": f"{spot}.{name}" for name in value}
        else:
            origins |= {f"{wish.key}.{name}": spot for name in value}
    return Preferences(**said, origins=origins)


def _word(value: Any, wish: Wish, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{wish.key!r} is not a word", f"{where}:{wish.key}", "write it in quotes")
    return _known(value, wish, f"{where}:{wish.key}")


def _words(value: Any, wish: Wish, where: str) -> dict[str, str]:
    if not (isinstance(value, dict) and all(isinstance(v, str) for v in value.values())):
        raise UsageError(
            f"{wish.key!r} is not a table of words",
            f"{where}:{wish.key}",
            f"write {wish.example}",
        )
    return {name: _known(word, wish, f"{where}:{wish.key}.{name}") for name, word in value.items()}


def _known(word: str, wish: Wish, spot: str) -> str:
    known = wish.known() if wish.known else (word,)
    if word not in known:
        raise UsageError(f"unknown {wish.what} {word!r}", spot, f"one of {', '.join(known)}")
    return word


def _list(value: Any, wish: Wish, where: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not (isinstance(values, list) and all(isinstance(v, str) for v in values)):
        raise UsageError(
            f"{wish.key!r} is not a list of words",
            f"{where}:{wish.key}",
            f"write {wish.key} = {wish.example}",
        )
    return tuple(values)


def _reasons(value: Any, wish: Wish, where: str) -> dict[str, str]:
    if not isinstance(value, list):
        raise UsageError(
            f"{wish.key!r} is not a list",
            f"{where}:{wish.key}",
            f'write {wish.key} = [{{rule = "...", reason = "..."}}]',
        )
    found: dict[str, str] = {}
    for k, entry in enumerate(value):
        if not (
            isinstance(entry, dict) and isinstance(entry.get("rule"), str) and entry.get("reason")
        ):
            raise UsageError(
                "an entry needs a rule and a reason",
                f"{where}:{wish.key}[{k}]",
                '{rule = "...", reason = "why it is wrong here"}',
            )
        found[entry["rule"]] = str(entry["reason"])
    return found


_READERS: Final = {"word": _word, "words": _words, "list": _list, "reasons": _reasons}


def _joined(a: Preferences, b: Preferences, folder: Path) -> Preferences:
    rules = {r: str(folder / r) for r in b.rules}
    origins = {
        f"rules.{rules[k[6:]]}" if k.startswith("rules.") else k: where
        for k, where in b.origins.items()
    }
    nearer = replace(b, rules=tuple(rules.values()))
    return Preferences(
        **joined(a, nearer),
        origins={**a.origins, **origins},
        refused=(*a.refused, *b.refused),
    )
