"""The training code of a run: where it is looked for, and what its settings add.

What was seen (a log, saved options) goes before what is read in code. The reading of code is
imported only where there is code to read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal

from gandoctor.configs import config_rank, looks_like_config
from gandoctor.errors import GandoctorError, InputError
from gandoctor.files import backups
from gandoctor.model.signals import Setting
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gandoctor.api.wishes import Options
    from gandoctor.configs.python import Code, Found, Hint
    from gandoctor.configs.python.edits import Editor
    from gandoctor.model.signals import RawRun, Run

# How the settings of code are called elsewhere.
CANONICAL: Final[Mapping[str, str]] = {
    "n_critic": "d_steps", "n_gen": "g_steps", "lambda_gp": "gp_lambda", "iterations": "steps",
    "output_activation": "g_output_activation", "d_dropout": "dropout_d",
    "loss_family": "loss_call",
    "spectral_norm": "spectral_norm_d",
}  # fmt: skip
OWN: Final[Mapping[str, str]] = {name: own for own, name in CANONICAL.items()}
_RANGES: Final = {"-1..1": (-1.0, 1.0), "0..1": (0.0, 1.0)}
_HALF: Final = 0.5
_SUFFIXES: Final = (".py", ".ipynb")
_HEAD: Final = 64 << 10
_MOST_META: Final = 1 << 20
_UP: Final = 4  # folders above a run in which the program that it names is looked for
_STARTED: Final = late_pattern(
    r"(?:^|[\s\"'])python[\d.]*[ \t]+(?:-\w+[ \t]+)*([\w./-]+\.py)\b([^\n\"]*)"
)


@dataclass(frozen=True, slots=True)
class CodeOfRun:
    """The code of a run, read.

    Attributes
    ----------
    code : Code
    editor : Editor
    root : Path
        Folder that its files are relative to.
    base : str
        ``repo`` where that is the source tree that was given, else ``run``.
    own : bool
        Whether it is the notebook that printed the log.
    """

    code: Code
    editor: Editor
    root: Path
    base: Literal["run", "repo"]
    own: bool = False

    @property
    def note(self) -> str:
        """Which code was read and why, for the reader of the report."""
        others = f"; others: {', '.join(self.code.others)}" if self.code.others else ""
        return f"settings were read in the code of {self.code.home}: {self.code.why}{others}"


def code_of(
    raw: RawRun, options: Options, known: dict[object, CodeOfRun | None] | None = None
) -> CodeOfRun | None:
    """The code of a run: in the source tree, the notebook that is the log, or the run's folder.

    Parameters
    ----------
    raw : RawRun
    options : Options
    known : dict, optional
        What was read for other runs of the same call.
    """
    root, base = _where(raw, options)
    if root is None:
        return None
    from gandoctor.configs import python
    from gandoctor.configs.python.edits import Editor

    hint = _hint(raw, python.Hint)
    notebooks = list(dict.fromkeys(f for f in raw.files if f.suffix.lower() == ".ipynb"))
    if base == "run" and len(notebooks) == 1 and not hint.program:
        hint = python.Hint(notebooks[0].name, _printing_cell(notebooks[0]), own=True)
        path = notebooks[0]
    else:
        path = root
    known = {} if known is None else known
    place = (path, hint.program, tuple(hint.arguments))
    if place not in known:
        code, gathered = python.read(path, hint)
        if base == "run" and path is root and code is not None and not hint.program:
            # a folder that a log lies in may hold other projects too
            code = code if python.is_run_from(root, code, gathered) else None
        editor = Editor(code, gathered) if code is not None else None
        known[place] = (
            CodeOfRun(code, editor, root, base, path is not root) if code and editor else None
        )
    return known[place]


def _where(raw: RawRun, options: Options) -> tuple[Path | None, Literal["run", "repo"]]:
    """The folder to look in; None where there is nothing to look for."""
    if options.repo is not None:
        return options.repo, "repo"
    if any(f.suffix.lower() == ".ipynb" for f in raw.files):
        return raw.root, "run"
    try:
        with os.scandir(raw.root) as entries:
            if any(e.name.endswith(_SUFFIXES) and not e.name.startswith(".") for e in entries):
                return raw.root, "run"
    except OSError:
        return None, "run"
    return None, "run"


# ---------------------------------------------------------------- what the run says of its program


def _hint(raw: RawRun, make: type[Hint]) -> Hint:
    """The program that the run names, and what it was started with."""
    for program, arguments in _named(raw):
        from gandoctor.configs.python.commands import commands_of

        line = f"python {program} {arguments}"
        for script, options in commands_of(line, ""):
            return make(PurePosixPath(script).name, -1, options)
    return make()


def _named(raw: RawRun) -> Iterator[tuple[str, str]]:
    for folder in (raw.root, raw.root / "files"):
        meta = _metadata(folder / "wandb-metadata.json")
        program = str(meta.get("codePath") or meta.get("program") or "")
        if program.endswith(".py"):
            args = meta.get("args")
            words = [str(a) for a in args] if isinstance(args, list) else []
            yield program.replace("\\", "/"), " ".join(words[:200])
    for file in raw.files:
        if file.suffix.lower() not in (".log", ".txt", ".out", ""):
            continue
        try:
            with file.open("rb") as f:
                head = f.read(_HEAD)
        except OSError:
            continue
        found = _STARTED.search(head.decode("utf-8", "replace"))
        if found:
            yield found[1], found[2]


def _metadata(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file() or file.stat().st_size > _MOST_META:
            return {}
        data = json.loads(file.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _printing_cell(file: Path) -> int:
    """The last cell of a notebook that printed losses; -1 where none did."""
    try:
        data = json.loads(file.read_text(encoding="utf-8", errors="replace"))
        cells = data["cells"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return -1
    best, most = -1, 0
    for i, cell in enumerate(cells if isinstance(cells, list) else ()):
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        held = outputs if isinstance(outputs, list) else ()
        texts = [o.get("text") for o in held if isinstance(o, dict)]
        lines = [line for text in texts for line in (text if isinstance(text, list) else [text])]
        said = "\n".join(line for line in lines if isinstance(line, str)).lower()
        count = sum(map(said.count, ("loss", "err", "gan")))
        if count > most:
            best, most = i, count
    return best


# ---------------------------------------------------------------- what it adds


def settings_of(seen: CodeOfRun) -> dict[str, Setting]:
    """The settings that the code gives, by canonical name."""
    out: dict[str, Setting] = {}
    for found in seen.code.found.values():
        if found.how == "default" and not found.setting.startswith("lr"):
            continue  # what nobody wrote is not held against a run
        if found.setting == "data_range":
            low, high = _RANGES[str(found.value)]
            out["data_low"] = _setting("data_low", low, found)
            out["data_high"] = _setting("data_high", high, found)
            continue
        name = CANONICAL.get(found.setting, found.setting)
        if name == "label_smoothing" and isinstance(found.value, float) and found.value > _HALF:
            name = "real_label"  # 0.9 is what D is told of real data, not how much less than one
        out[name] = _setting(name, found.value, found)
    return out


def _setting(name: str, value: float | str | bool | None, found: Found) -> Setting:
    place = found.place
    how = found.how if place.line.isdigit() else f"{found.how}, {place.line}"
    return Setting(name, value, key_of(found), place.file, place.row, how, found.sure)


def key_of(found: Found) -> str:
    """What the reader knows a setting of the code by: its own name there, or the setting's."""
    return (
        found.key
        if found.how in ("option", "constant", "command", "config") and found.key
        else found.setting
    )


def patched_since(seen: CodeOfRun, raw: RawRun) -> Iterator[str]:
    """What is said of code that was patched since the run was logged: it is read as it is now."""
    logs = [f for f in raw.files if config_rank(f) is None]
    for file in sorted({found.place.file for found in seen.code.found.values()}):
        old = backups.as_logged(seen.root / file, logs)
        if old is not None:
            yield (
                f"{file} was patched after this run was logged: its settings are what it says now; "
                f"{old.name} is what it was before"
            )


# ---------------------------------------------------------------- told by themselves


def settings_told(path: Path, options: Options) -> list[dict[str, Any]]:
    """The settings of a run, source tree or script as rows: what was seen, then what code adds.

    Raises
    ------
    GandoctorError
        Neither a log nor code of a training could be read.
    """
    from gandoctor import api
    from gandoctor.configs import python

    if not path.exists():
        raise InputError("does not exist", str(path), "give a log, a script or a folder")
    code = None
    if path.is_dir() or path.suffix.lower() in _SUFFIXES:
        code, _ = python.read(path)
    runs: list[Run] = []
    fault: GandoctorError | None = None
    if path.suffix.lower() != ".py":
        try:
            runs = api.read(path, options)
        except GandoctorError as e:
            fault = e
    if fault is not None and code is None:
        raise fault
    if code is None and not runs:
        if looks_like_config(path):
            raise InputError(
                "is a configuration file, no training",
                str(path),
                "give the log or its folder; a config goes to --config",
            )
        hint = "an optimiser of a discriminator is looked for"
        raise InputError("holds no training of a GAN that can be read", str(path), hint)
    rows = {
        row["setting"]: row
        for run in runs[:1]
        for name, s in sorted(run.settings.items())
        for row in (_row_of(OWN.get(name, name), s),)
    }
    found = code.found if code is not None else {}
    for name, its in found.items():
        seen = rows.get(name)
        if seen is None or seen["how"] != "seen":
            rows[name] = {
                "setting": name,
                "value": its.value,
                "file": its.place.file,
                "line": int(its.place.line) if its.place.line.isdigit() else its.place.line,
                "how": its.how,
                "confidence": its.sure,
            }
    return [rows[name] for name in sorted(rows)]


def _row_of(name: str, setting: Setting) -> dict[str, Any]:
    value = setting.value
    return {
        "setting": name,
        "value": list(value) if isinstance(value, tuple) else value,
        "file": setting.file,
        "line": setting.line,
        "how": setting.how or "seen",
        "confidence": setting.confidence or "high",
    }
