"""How names were understood: the tables of ``gandoctor signals``."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any, Final

from gandoctor import api, vocabulary
from gandoctor.errors import InputError
from gandoctor.lexicon import hinting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.api import Options
    from gandoctor.model.signals import Run

MAX_TAG_FILE: Final = 16 << 20


def show_tags(file: Path, options: Options, *, as_json: bool) -> str:
    """Place bare names, one a line, all of one code base.

    Raises
    ------
    InputError
        The file cannot be read as text.
    """
    hint = "give a text file with one tag a line"
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):  # to read from a pipe may be to wait for ever
            raise InputError("is not a regular file", str(file), hint)
        if found.st_size > MAX_TAG_FILE:
            raise InputError(
                "is too large for a list of names", str(file), "give one tag a line, 16 MB at most"
            )
        with file.open("rb") as lines:
            # What lies in /proc has no size, and may never end.
            data = lines.read(MAX_TAG_FILE) if found.st_size else b""
        tags = [t for t in data.decode("utf-8").splitlines() if t.strip()]
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror or e})", str(file), hint) from None
    except UnicodeDecodeError as e:
        raise InputError(
            f"cannot be read ({e.reason} at byte {e.start:,})", str(file), hint
        ) from None
    words = vocabulary.load(api.rule_folders(options))
    placed = vocabulary.place_names(tags, vocabulary=words)
    if as_json:
        rows = [
            {"tag": p.tag, "role": p.role, "network": p.network, "split": p.split} for p in placed
        ]
        # ASCII: what would steer a terminal or reorder a line is spelled out.
        return json.dumps(rows, indent=1)
    return table(
        ("tag", "role", "network", "split", "because"),
        [(p.tag, p.role or "?", p.network, p.split, p.because) for p in placed],
    )


def show_run(path: Path, options: Options, *, as_json: bool) -> str:
    """Signals, settings, loss family and step axis of every run below a path, as understood."""
    runs = api.read(path, options)
    if as_json:
        return json.dumps([_plain(r) for r in runs] if len(runs) > 1 else _plain(runs[0]), indent=1)
    return "\n\n".join(_text(r) for r in runs)


def show_settings(path: Path, options: Options, *, as_json: bool) -> str:
    """The settings of a run, of a source tree or of a script, and where each stands.

    What a log or a config says goes before what is read in code.

    Raises
    ------
    GandoctorError
        Neither a log nor code of a training could be read.
    """
    from gandoctor.api.code import settings_told

    rows = settings_told(path, options)
    if as_json:
        return json.dumps(rows, indent=1)
    return table(
        ("setting", "value", "where", "how", "confidence"),
        [
            (
                str(r["setting"]),
                str(r["value"]),
                f"{r['file'] or 'the log'}" + (f":{r['line']}" if r["line"] else ""),
                str(r["how"]),
                str(r["confidence"]),
            )
            for r in rows
        ],
    )


def as_toml(path: Path, options: Options) -> str:
    """The mapping of the first run as a ``gandoctor.toml`` to be corrected by hand."""
    run = api.read(path, options)[0]
    lines = [
        ("# What each name means; correct what is wrong. Known roles: gandoctor signals --known."),
        "",
    ]
    if run.objective.family != "unknown":
        lines += [f"loss = {_quoted(run.objective.family)}", ""]
    lines.append("[map]")
    seen: set[str] = set()
    files = {source.path for source in run.sources}
    for s in (
        s for s in run.signals if s.source in files
    ):  # what was derived or measured cannot be mapped
        twin = "# " if s.role in seen else ""
        lines.append(f"{twin}{s.role} = {_quoted(s.tag)}{'  # a second candidate' if twin else ''}")
        seen.add(s.role or "")
    lines += [f"# ? = {_quoted(s.tag)}" for s in run.unmapped]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _plain(run: Run) -> dict[str, Any]:
    game = run.objective
    return {
        "run": run.name,
        "step_unit": run.step_unit,
        "objective": {
            "family": game.family,
            "chance_d": game.chance_d,
            "chance_g": game.chance_g,
            "confidence": game.confidence,
            "because": list(game.because),
        },
        "signals": [
            {
                "tag": s.tag, "role": s.role, "network": s.network, "split": s.split,
                "points": len(s),
                "because": s.because, "source": s.source,
            }
            for s in run.signals
        ],
        "unmapped": [{"tag": s.tag, "points": len(s)} for s in run.unmapped],
        "settings": [
            {"name": name, "value": str(s.value), "key": s.key, "file": s.file, "line": s.line}
            for name, s in sorted(run.settings.items())
        ],
    }  # fmt: skip


def _text(run: Run) -> str:
    game = run.objective
    chance = f", D at chance at {game.chance_d:.4g}" if game.chance_d is not None else ""
    head = [
        f"{run.name}: {game.family}{chance} ({game.confidence} confidence)",
        *(f"  because {b}" for b in game.because),
        f"steps {run.first_step:,} to {run.last_step:,} ({run.step_unit})",
        *(f"note: {_clean(n)}" for n in run.notes),
        "",
    ]
    rows = [
        (s.role or "", s.tag, s.network, s.split, f"{len(s):,}", s.because)
        for s in sorted(run.signals, key=lambda s: (s.role or "", s.network, s.tag))
    ]
    parts = [
        "\n".join(head) + table(("role", "tag", "network", "split", "points", "because"), rows)
    ]
    if run.unmapped:
        parts.append(
            table(("not placed", "points"), [(s.tag, f"{len(s):,}") for s in run.unmapped])
        )
    logged = {source.path for source in run.sources}
    placed = [(s.tag, s.role or "") for s in run.signals if s.source in logged]
    if hint := hinting.to_map(placed, [s.tag for s in run.unmapped], run.roles):
        parts.append(_clean(hint))
    if run.settings:
        parts.append(
            table(
                ("setting", "value", "key", "where"),
                [
                    (n, str(s.value), s.key, f"{s.file}:{s.line}")
                    for n, s in sorted(run.settings.items())
                ],
            )
        )
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, widest: int = 60) -> str:
    """Columns aligned with spaces.

    Control characters shown, long cells cut except in the last column.
    """
    shown = [
        [_clean(c) if i == len(head) - 1 else _cut(_clean(c), widest) for i, c in enumerate(r)]
        for r in rows
    ]
    widths = [
        max(len(h), *(len(r[i]) for r in shown), 0) if shown else len(h) for i, h in enumerate(head)
    ]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip()
        for r in (list(head), *shown)
    ]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
