"""The files of a source tree that a training may be made of, and the command lines that start it.

The search is bounded, follows no symbolic link, and opens what the names and a first look at the
bytes leave over.
"""

from __future__ import annotations

import os
import re
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.configs import formats
from gandoctor.configs.python.commands import commands_of
from gandoctor.configs.python.sides import words_of
from gandoctor.configs.python.units import Place, is_module, loaded_by_name
from gandoctor.configs.python.ways import Given
from gandoctor.configs.splice import number
from gandoctor.files.below import folders
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

MAX_ENTRIES: Final = 20_000  # names that are looked at
MAX_FILES: Final = 4_000  # files that are opened
MAX_DEPTH: Final = 8
MAX_BYTES_IN_ALL: Final = 64 << 20
MAX_SCRIPT: Final = 1 << 20
MAX_NOTEBOOK: Final = 48 << 20
MAX_PARSED: Final = 160_000  # characters of code that are parsed
MAX_TRAINERS: Final = 8
MAX_CONFIG: Final = 128 << 10
_MOST_USERS: Final = 60

_SKIPPED: Final = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "wandb",
        "mlruns", "lightning_logs", "checkpoints", "tests", "test", "docs",
        "third_party", "thirdparty", "external", "vendor",
    }
)  # fmt: skip
# Folders that hold data, and beside it perhaps the code that loads it.
_OF_DATA: Final = frozenset(
    {"data", "dataset", "datasets", "images", "samples", "results", "output"}
)
_MOST_OF_DATA: Final = 200  # names of such a folder that are looked at
_SHELLS: Final = (".sh", ".bash", ".slurm", ".sbatch", ".bat", ".pbs", ".job", ".cmd")
_CONFIGS: Final = (".json", ".yaml", ".yml", ".toml")
# What a file that trains a GAN has of each: plain words, for a search is far slower.
_MAKES: Final = (b"ptim", b"Adam", b"RMS", b"SGD(", b"optax", b"Trainer(", b"compile(")
_PLAYS: Final = (
    b"iscriminator",
    b"ritic",
    b"netD",
    b"NetD",
    b"net_d",
    b"GAN",
    b"gan",
    b"disc",
    b"Disc",
)
_OPTIMISER: Final = late_pattern(rb"\b(?:Adam|AdamW|RMSprop|RMSProp|SGD|adam|rmsprop)\(")
_GAN: Final = late_pattern(
    rb"(?i)\b[dg]_|_[dg]\b|adversar|\bdis[c_]|\b(?:fake|real)_|\bmpd\b|\b[dg]loss"
)
_IMPORT: Final = late_pattern(
    rb"(?m)^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+([^\n#]*)|import[ \t]+([^\n#]+))"
)
_IMPORT_IN_JSON: Final = late_pattern(
    rb"\"[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+([^\\\"#]*)|import[ \t]+([^\\\"#]+))"
)
_READS_CONFIG: Final = late_pattern(
    rb"json\.load|yaml\.|LightningCLI|OmegaConf|hydra|tomllib|toml\.load|load_config|read_json|get_config"
)
_NAMED_CONFIG: Final = late_pattern(rb"[\"']([\w./-]{1,120}\.(?:json|ya?ml|toml))[\"']")
_OPTIONS: Final = late_pattern(
    rb"add_argument\(|DEFINE_(?:float|integer|string)|@dataclass|click\.option|ConfigDict\(|"
    rb"CfgNode|[Ee]?[Dd]ict\("
)
_OPTION_WORDS: Final = frozenset(
    {"options", "option", "opts", "opt", "config", "configs", "cfg", "args", "arguments", "params",
     "hparams", "hyperparameters", "hyperparams", "settings", "utils", "util", "flags",
     "constants", "parser"}
)  # fmt: skip


@dataclass(slots=True)
class Gathered:
    """What a source tree holds of a training.

    Attributes
    ----------
    files : dict of str to str
        Code by name, relative to the tree.
    commands : list of (str, dict)
        Scripts and the options that command lines give them, the likeliest first.
    configs : dict of str to Given
        Values of config files by the ends of their keys.
    texts : dict of str to str
        Command files and configs by name.
    cut : bool
        Whether the tree was too large to be searched to its end.
    """

    files: dict[str, str] = field(default_factory=dict)
    commands: list[tuple[str, dict[str, Given]]] = field(default_factory=list)
    configs: dict[str, Given] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def gather(root: Path, program: str = "", *, config: str = "") -> Gathered:
    """Find the code of a training below a folder.

    Parameters
    ----------
    root : Path
    program : str
        The script that is known to have been started; empty where it is not known.
    config : str
        A config file that its command line names.
    """
    out = Gathered()
    tree = _Tree(root, out)
    code: dict[str, bytes] = {}
    names = {n.lower() for n in tree.names}
    for name in tree.names:
        if name.endswith((".py", ".ipynb")) and not _is_its_test(name.lower(), names):
            data = tree.read(name)
            if data:
                code[name] = data
    chosen = _chosen(code, program)
    for name in chosen:
        out.files[name] = _decoded(code[name])
    _commands(tree, out)
    starting = [n for n in code if _unlikely(n) == 0]  # a model is loaded by its name there
    if any(_READS_CONFIG.search(code[name]) for name in (*chosen, *starting)):
        named = [
            m.decode("ascii", "replace")
            for name in chosen
            for m in _NAMED_CONFIG.findall(code[name])
        ]
        asked = [str(g.value) for _, given in out.commands for g in given.values()]
        _configs(tree, out, [config, *asked, *named])
    return out


def _is_its_test(name: str, names: Set[str]) -> bool:
    """Whether it is the test of a file beside it: ``train_test.py``, ``test_train.py``."""
    folder, _, own = name.rpartition("/")
    tested = own.removeprefix("test_") if own.startswith("test_") else own.replace("_test.", ".")
    return tested != own and f"{folder}/{tested}".lstrip("/") in names


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class _Tree:
    """The names below a folder, and how much of them may still be read."""

    def __init__(self, root: Path, out: Gathered) -> None:
        self.root = root
        self.out = out
        self.left = MAX_BYTES_IN_ALL
        self.opened = 0
        self.names = sorted(self._names(), key=lambda n: (n.count("/"), n))

    def _names(self) -> Iterator[str]:
        seen = 0
        for folder in folders(self.root):
            parts = folder.name.lower().split("/")
            of_data = any(part in _OF_DATA for part in parts)
            entries = folder.entries or []
            for entry in entries[:_MOST_OF_DATA] if of_data else entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    self.out.cut = True
                    return
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir():
                    if entry.name.lower() not in _SKIPPED and folder.level < MAX_DEPTH:
                        folder.below.append(entry)
                elif entry.is_file():
                    yield f"{folder.name}{entry.name}"

    def read(self, name: str, most: int = 0) -> bytes:
        """The bytes of a file; none where it is too long or cannot be read."""
        most = most or (MAX_NOTEBOOK if name.endswith(".ipynb") else MAX_SCRIPT)
        if self.opened >= MAX_FILES or self.left <= 0:
            self.out.cut = True
            return b""
        self.opened += 1
        try:
            with (self.root / name).open("rb") as f:
                # as much as there is: room for all that may be would be taken at once
                size = os.fstat(f.fileno()).st_size
                data = f.read(size + 1) if size <= most else b""
        except (OSError, ValueError):
            return b""
        self.left -= len(data)
        return data if len(data) <= most and b"\0" not in data[:4096] else b""


# ---------------------------------------------------------------- code


def _chosen(code: Mapping[str, bytes], program: str) -> list[str]:
    """The files that train a GAN, what they take in, and what takes them in."""
    trainers = [n for n, data in code.items() if _may_train(data)]
    if program:
        asked = [n for n in code if f"/{n}".endswith(f"/{PurePosixPath(program).name}")]
        trainers = [*asked, *(t for t in trainers if t not in asked)]
    else:
        asked = []
    trainers.sort(key=lambda n: (n not in asked, *_rank(n, code[n])))
    stems = _stems(code)
    folders = {n: str(PurePosixPath(n).parent) for n in code}
    taken: dict[str, list[str]] = {}

    def taken_in(name: str) -> list[str]:
        if name not in taken:
            taken[name] = _taken_in(name, code[name], stems)
        return taken[name]

    def users(name: str) -> list[str]:
        """Who takes a file in: those in its folder and above it that hold its name at all."""
        path = PurePosixPath(name)
        stem = (path.parent.name if path.name == "__init__.py" else path.stem).encode()
        above = {str(p) for p in path.parents}
        having = [
            n for n, data in code.items() if n != name and folders[n] in above and stem in data
        ]
        return [n for n in having[:_MOST_USERS] if name in taken_in(n)][:4]

    out: dict[str, None] = {}
    size = 0
    for trainer in trainers[:MAX_TRAINERS]:
        waiting = [trainer, *users(trainer)]
        for user in list(waiting[1:]):
            waiting += users(user)
        seen: dict[str, None] = {}
        while waiting and len(seen) < 40:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen[name] = None
            waiting += taken_in(name)
        # the file of the losses before what may be too much
        for name in sorted(seen, key=lambda n: (n != trainer, not _of_losses(n))):
            cost = len(code[name]) if name.endswith(".py") else min(len(code[name]), 20_000)
            if name not in out and (size + cost <= MAX_PARSED or not out):
                out[name] = None
                size += cost
    for name, data in code.items():
        # options stand in files of their own that are loaded by name
        if name in out or size + len(data) > MAX_PARSED or not name.endswith(".py"):
            continue
        words = {w for part in name[:-3].split("/") for w in words_of(part)}
        if words & _OPTION_WORDS and _OPTIONS.search(data) and out:
            out[name] = None
            size += len(data)
    return list(out)


def _of_losses(name: str) -> bool:
    return bool({"loss", "losses"} & set(words_of(PurePosixPath(name).stem)))


def _unlikely(name: str) -> int:
    words = {w for part in PurePosixPath(name).with_suffix("").parts for w in words_of(part)}
    if words & {
        "test",
        "tests",
        "eval",
        "evaluate",
        "demo",
        "inference",
        "classifier",
        "old",
        "backup",
    }:
        return 3
    if words & {"train", "training", "trainer", "main", "run", "gan"}:
        return 0
    return 1


def _may_train(data: bytes) -> bool:
    return any(w in data for w in _MAKES) and (
        any(w in data for w in _PLAYS) or _GAN.search(data) is not None
    )


def _rank(name: str, data: bytes) -> tuple[float | str, ...]:
    """How soon a file is looked at that may train: sooner where it makes two optimisers."""
    unlikely = _unlikely(name)
    one = len(_OPTIMISER.findall(data)) < 2
    return unlikely > 1, one, unlikely, -_plays(data), name.count("/"), name


def _plays(data: bytes) -> int:
    """How much a file speaks of a discriminator: 0 to 3."""
    strong = sum(data.count(w) for w in _PLAYS[:5])
    return min(3, strong // 2)


def _taken_in(name: str, data: bytes, by_stem: Mapping[str, Sequence[str]]) -> list[str]:
    """The files that a file imports."""
    found: dict[str, None] = {}
    pattern = _IMPORT if name.endswith(".py") else _IMPORT_IN_JSON
    for module, members, plain in pattern.findall(data):
        base = module.decode("ascii", "replace")
        names = [base] if base.strip(".") else []
        if base:
            parts = re.findall(r"\w+", members.decode("utf-8", "replace"))
            names += [f"{base}.{p}".strip(".") for p in parts[:30]]
        if plain:
            words = plain.decode("utf-8", "replace").split(",")
            names += [w.split()[0] for w in words if w.split()]
        for one in names:
            end = one.strip(".").replace(".", "/")
            stem = end.rpartition("/")[2]
            for other in by_stem.get(stem, ()):
                if other != name and is_module(end, other):
                    found[other] = None
                    break
        if len(found) >= 40:
            break
    for module in loaded_by_name(_decoded(data)) if name.endswith(".py") else ():
        for other in by_stem.get(module.rpartition("/")[2], ()):
            if other != name and is_module(module, other):
                found[other] = None
    return list(found)


def _stems(code: Mapping[str, bytes]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name in code:
        path = PurePosixPath(name)
        stem = path.parent.name if path.name == "__init__.py" else path.stem
        out.setdefault(stem, []).append(name)
    return out


# ---------------------------------------------------------------- command lines


def _commands(tree: _Tree, out: Gathered) -> None:
    ranked: list[tuple[int, str]] = []
    for name in tree.names:
        low = name.lower()
        if low.endswith(_SHELLS):
            ranked.append((0 if "train" in low or "launch" in low or "run" in low else 1, name))
        elif re.fullmatch(r"(?:.*/)?(?:command|cmd)[\w-]*\.txt", low):
            ranked.append((0, name))
        elif re.fullmatch(r"readme[\w.-]*", low):
            ranked.append((3, name))
    for rank, name in sorted(ranked)[:200]:
        data = tree.read(name, MAX_CONFIG)
        if b".py" not in data and b"python" not in data:
            continue
        text = _decoded(data)
        found = list(commands_of(text, name))
        if rank == 3:  # examples of many things
            found = [f for f in found if not _unlikely(f[0]) >= 3 and len(f[1]) > 1][:1]
        if found:
            out.texts[name] = text
            out.commands += found


# ---------------------------------------------------------------- config files


def _configs(tree: _Tree, out: Gathered, asked: Sequence[str]) -> None:
    """Values of the config files that the code reads: those it names, else all that agree."""
    wanted = {PurePosixPath(a).name for a in asked if a}
    names = [n for n in tree.names if n.lower().endswith(_CONFIGS) and not _is_record(n)]
    named = [n for n in names if PurePosixPath(n).name in wanted]
    others = [n for n in names if _is_config_name(n)][:12]
    values: dict[str, Given | None] = {}
    for name in named or others:
        data = tree.read(name, MAX_CONFIG)
        if not data:
            continue
        text = _decoded(data)
        mine = values_in(name, text)
        if not mine:
            continue
        out.texts[name] = text
        for key, given in mine.items():
            known = values.get(key, given)
            values[key] = given if known is not None and known.value == given.value else None
        if named and len(mine) > 2:
            break
    out.configs |= {k: g for k, g in values.items() if g is not None}


def _is_config_name(name: str) -> bool:
    words = {w for part in PurePosixPath(name).with_suffix("").parts for w in words_of(part)}
    return bool(
        words & {"config", "configs", "cfg", "conf", "hparams", "params", "opt", "options", "train"}
    )


def _is_record(name: str) -> bool:
    stem = PurePosixPath(name).name.lower()
    return stem.startswith(
        ("package", "tsconfig", "report", "metrics", "history", "log", "results")
    )


def values_in(name: str, text: str) -> dict[str, Given]:
    """Values of a config file by the ends of their keys: ``lr`` and ``optim_d.lr``.

    An end that stands for several values stands for none.
    """
    try:
        entries = formats.scan(formats.name_of(name, text), text)
    except Exception:
        return {}
    out: dict[str, Given] = {}
    torn: set[str] = set()
    for path, spot in entries.found.items():
        if not path or isinstance(spot.value, tuple):
            continue
        place = Place(name, str(spot.line), spot.line, spot.start, spot.end)
        given = Given(_plain(spot.value), place, "config")
        # the place of an item is no name by itself
        for start in range(len(path) - path[-1].isdigit()):
            key = ".".join(path[start:])
            if out.setdefault(key, given).value != given.value:
                torn.add(key)
    return {key: given for key, given in out.items() if key not in torn}


def _plain(value: object) -> float | int | str | bool | None:
    as_number = number(value) if isinstance(value, str) else None
    if as_number is not None:
        return as_number
    return value if isinstance(value, int | float | str | bool) else None
