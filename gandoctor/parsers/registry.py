"""The parsers there are, and which of them reads a file."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol, cast, runtime_checkable

from gandoctor.configs import ANY_JSON, SURE_NAME, config_rank
from gandoctor.errors import GandoctorError, InputError, unforeseen
from gandoctor.files import below
from gandoctor.files.reading import LONGEST_TAG
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from gandoctor.model.signals import Reading


@runtime_checkable
class Parser(Protocol):
    """What a parser has to offer; a module does.

    `sniff` gets the first 64 KiB and answers how sure it is that the file is a *training log of its
    format*:

    ====== =========================================================================================
    1.0    the format's own magic (an event file, a ``.wandb``)
    >= 0.9 name and content agree; nobody else is asked
    >= 0.5 it looks like one; enough for a file that was found in a folder
    > 0    it could be read if nobody else claims it; enough only for a file that the user named
    0      no
    ====== =========================================================================================

    `read` raises `GandoctorError` where nothing can be read, and counts in ``Reading.lost`` what
    was lost. A parser may also have ``read_runs(path) -> Sequence[tuple[str, Reading]]``, for files
    that hold several trainings (a notebook, an index that restarts): a short name and a reading for
    each.
    """

    NAME: str

    def sniff(self, path: Path, head: bytes) -> float:
        """How sure it is, 0..1."""
        ...

    def read(self, path: Path) -> Reading:
        """Read the whole file."""
        ...


_HOME: Final = "gandoctor.parsers.formats"
# Which module to ask first, by a piece of the file's name; the others are imported only if it is
# not sure.
_FIRST: Final[tuple[tuple[str, str], ...]] = (
    ("tfevents", "tensorboard"),
    (".wandb", "wandb"),
    (".csv", "csv"),
    (".tsv", "csv"),
    (".jsonl", "jsonl"),
    (".ndjson", "jsonl"),
    (".json", "jsonl"),
    (".ipynb", "notebook"),
    (".log", "text"),
    (".txt", "text"),
    (".out", "text"),
    ("meta.yaml", "mlflow"),
    (".db", "mlflow"),
    (".sqlite", "mlflow"),
)
_FORMATS: Final = (
    "give TensorBoard event files, W&B .wandb files, MLflow's store, CSV, JSONL, JSON, printed "
    "text, or a folder of them"
)
_LOG_NAME: Final = late_pattern(
    r"tfevents|\.wandb$|\.log$|loss|log|metric|train|history|stats", re.IGNORECASE
)
_SURE: Final = 0.9
_FOUND: Final = 0.5


@cache
def _module_names() -> tuple[str, ...]:
    names = (m.name for m in pkgutil.iter_modules(importlib.import_module(_HOME).__path__))
    return tuple(sorted(n for n in names if not n.startswith("_")))


@cache
def _load(name: str) -> Parser | None:
    """One parser of this package; None where the module fails to import.

    One bad parser must not stop the others.
    """
    try:
        module = importlib.import_module(f"{_HOME}.{name}")
    except Exception:
        return None
    return cast("Parser", module) if isinstance(module, Parser) else None


@cache
def _plugins() -> tuple[Parser, ...]:
    """Parsers of other packages, under the entry-point group ``gandoctor.parsers``."""
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group="gandoctor.parsers"):
        try:
            loaded = point.load()
        except Exception:  # noqa: S112
            continue
        if isinstance(loaded, Parser):
            found.append(loaded)
    return tuple(found)


def iter_parsers(name: str = "") -> Iterator[Parser]:
    """All parsers, those first that a file of that name suggests.

    Each is imported only when its turn comes.
    """
    lower = name.lower()
    first = list(dict.fromkeys(module for piece, module in _FIRST if piece in lower))
    for module in (*first, *(m for m in _module_names() if m not in first)):
        parser = _load(module)
        if parser is not None:
            yield parser
    yield from _plugins()


def choose(path: Path, head: bytes) -> tuple[Parser | None, float]:
    """The parser that is surest of a file, and how sure it is; None and 0 where none is."""
    best: Parser | None = None
    score = 0.0
    for parser in iter_parsers(path.name):
        try:
            sure = float(parser.sniff(path, head))
        except Exception:  # noqa: S112
            continue  # a parser that stumbles over foreign bytes has no claim on them
        if sure > score:
            best, score = parser, sure
        if score >= _SURE:
            break
    return best, score


def read_log(path: Path) -> list[tuple[str, str, Reading]]:
    """Read one log with the parser that is surest of it.

    Parameters
    ----------
    path : Path
        A regular file.

    Returns
    -------
    list of (label, parser, Reading)
        One for each training in the file; the label is empty where there is one.

    Raises
    ------
    GandoctorError
        Where no parser wants it, or nothing in it can be read.
    """
    rank = config_rank(path)
    if rank is not None and rank <= SURE_NAME and not below.wrote(path):
        raise InputError(
            "is a configuration file, no training log",
            path.name,
            "give the log or its folder; a config goes to --config",
        )
    head = below.head_of(path)
    if not head:
        raise InputError(
            "is empty", path.name, "the training wrote nothing, or still buffers what it prints"
        )
    if odd := below.foreign(head):
        raise InputError(odd[0], path.name, odd[1])
    parser, _ = choose(path, head)
    if parser is None:
        if "vdlrecords" in path.name:
            raise InputError(
                "is a VisualDL log, which cannot be read yet",
                path.name,
                "export its scalars as CSV",
            )
        if b"\x00" in head[:4096]:
            raise InputError(
                "is no training log that can be read (it is binary)", path.name, _FORMATS
            )
        raise _why_not(path)
    return _read(path, parser)


def _why_not(path: Path) -> GandoctorError:
    """Why no parser wants a file: in the words of the one that its name suggests."""
    suggested = _load(hinted(path)) if hinted(path) != "unknown" else None
    try:
        if suggested is not None:
            _read(path, suggested)
    except GandoctorError as e:
        return InputError(e.what, e.where, e.hint or _FORMATS)
    return InputError("is no training log that can be read", path.name, _FORMATS)


def is_log(path: Path) -> bool:
    """Whether a file looks like a training log, or a folder holds one; never raises."""
    try:
        path = path.resolve(strict=True)
        files = below.walk(path).files if path.is_dir() else [path]
        return any(is_candidate(f) and _looks_like_log(f) for f in files)
    except (OSError, RuntimeError):
        return False


def _looks_like_log(path: Path) -> bool:
    try:
        head = below.head_of(path)
    except InputError:
        return False
    if head.startswith(
        below.POINTER
    ):  # a log that is not there is no clean log: reading it says so
        return bool(_LOG_NAME.search(path.name))
    return bool(head) and below.foreign(head) is None and choose(path, head)[1] >= _FOUND


# What lies beside logs and is none: not even opened.
_NEVER: Final = frozenset(
    {
        ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".safetensors", ".onnx", ".h5", ".hdf5",
        ".keras", ".pb",
        ".index", ".npy", ".npz", ".mat", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff",
        ".webp",
        ".svg", ".mp4", ".avi", ".mov", ".webm", ".wav", ".mp3", ".flac", ".ogg", ".zip", ".tar",
        ".gz", ".tgz",
        ".bz2", ".xz", ".7z", ".zst", ".whl", ".py", ".pyc", ".pyx", ".c", ".h", ".cc", ".cpp",
        ".cu", ".cuh",
        ".so", ".o", ".sh", ".bat", ".ps1", ".js", ".ts", ".css", ".html", ".htm", ".md", ".rst",
        ".tex",
        ".pdf", ".docx", ".xlsx", ".pptx", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf",
        ".gin", ".lock",
        ".parquet", ".arrow", ".feather", ".tfrecord", ".tfrecords", ".lmdb", ".mdb", ".db",
        ".sqlite", ".exe",
        ".dll", ".patch", ".diff", ".bin", ".ply", ".obj", ".stl", ".ttf", ".woff", ".woff2",
        ".ico",
        ".profile-empty",
    }
)  # fmt: skip
_NEVER_NAMES: Final = late_pattern(
    r"(readme|licen[cs]e|changelog|authors|requirements.*|constraints.*|cmakelists|robots|"
    r"package(-lock)?|tsconfig.*|"
    r"wandb-summary|wandb-metadata|debug|debug-internal|debug-cli.*|conda-environment|diff|vocab|"
    r"tokenizer.*)"
    r"(\.(txt|md|rst|json|log|in))?"
)


# MLflow's database, and the file that stands for a run's folder in its other store.
_STORES: Final = late_pattern(r"(mlflow|mlruns)[\w.-]*\.(db|sqlite3?)|meta\.yaml")
_OF_STORE: Final = ("metrics", "params", "tags")


def is_candidate(path: Path) -> bool:
    """Whether a file that was found in a folder is worth a look, by its name."""
    if _STORES.fullmatch(path.name.lower()):
        return True
    if any(name in path.parts for name in _OF_STORE) and _is_told_by_store(path):
        return False
    if path.suffix.lower() in _NEVER and "tfevents" not in path.name:
        return False
    if path.suffix.lower() == ".profile-empty":
        return False
    rank = config_rank(path)
    return not _NEVER_NAMES.fullmatch(path.name.lower()) and (rank is None or rank >= ANY_JSON)


def _is_told_by_store(path: Path) -> bool:
    """Whether a file is one of those that a run's ``meta.yaml`` stands for."""
    return any(
        folder.name in _OF_STORE and (folder.parent / "meta.yaml").is_file()
        for folder in path.parents
    )


def read_found(path: Path, head: bytes) -> list[tuple[str, str, Reading]]:
    """As `read_log`, for a file that was found in a folder.

    Empty where it does not look like a log.

    Raises
    ------
    GandoctorError
        It looks like a log, and cannot be read.
    """
    if not head or below.is_own_report(head):
        return []
    if odd := below.foreign(head):
        if not _LOG_NAME.search(path.name) or "is a picture" in odd[0]:
            return []
        raise InputError(odd[0], path.name, odd[1])
    parser, score = choose(path, head)
    return _read(path, parser) if parser is not None and score >= _FOUND else []


def hinted(path: Path) -> str:
    """The parser that a file's name suggests; ``unknown`` where it suggests none."""
    lower = path.name.lower()
    return next((module for piece, module in _FIRST if piece in lower), "unknown")


def _read(path: Path, parser: Parser) -> list[tuple[str, str, Reading]]:
    name = path.name
    many: Callable[[Path], Sequence[tuple[str, Reading]]] | None = getattr(
        parser, "read_runs", None
    )
    try:
        if many is not None:
            return [(label, parser.NAME, _bounded(reading)) for label, reading in many(path)]
        return [("", parser.NAME, _bounded(parser.read(path)))]
    except GandoctorError as e:
        if e.where:
            raise
        raise InputError(e.what, name, e.hint) from None
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror or type(e).__name__})", name) from e
    except Exception as e:
        raise unforeseen(e, f"the {parser.NAME}", name) from e


def _bounded(reading: Reading) -> Reading:
    """A reading whose tags are short enough to be shown and compared."""
    tags = {*(s.tag for s in reading.signals), *(p.tag for p in reading.pictures)}
    long = [tag for tag in tags if len(tag) > LONGEST_TAG]
    if not long:
        return reading
    note = (
        f"{len(long):,} name{'s' * (len(long) > 1)} of more than {LONGEST_TAG:,} characters: "
        "the rest was cut off"
    )
    return replace(
        reading,
        signals=tuple(replace(s, tag=_cut(s.tag)) for s in reading.signals),
        pictures=tuple(replace(p, tag=_cut(p.tag)) for p in reading.pictures),
        notes=(*reading.notes, note),
    )


def _cut(tag: str) -> str:
    return tag if len(tag) <= LONGEST_TAG else f"{tag[:LONGEST_TAG]}..."
