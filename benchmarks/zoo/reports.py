"""Reports on the runs of a zoo, kept for as long as neither gandoctor nor the run changes.

Many figures need them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT: Final = Path.home() / ".cache" / "gandoctor-zoo" / "said"
STALE: Final = 2 * 86400.0  # seconds after which what an older gandoctor said is thrown away


def truths(folder: Path) -> list[dict[str, Any]]:
    """What is known of the runs of a folder, in the order of their names."""
    return [json.loads(p.read_text("utf-8")) for p in sorted(folder.glob("*.truth.json"))]


def load(runs: Sequence[Path], processes: int = 1) -> list[tuple[dict[str, Any] | None, str]]:
    """Analyse runs, each with nothing else in sight.

    Parameters
    ----------
    runs : sequence of Path
        Folders; the truth beside one is only looked at for its date.
    processes : int

    Returns
    -------
    list of (dict or None, str)
        Report as plain data, without its curves; or None and why there is none.
    """
    _forget_old()
    if processes == 1:
        return [report(run) for run in runs]
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(report, runs, chunksize=4))


def report(run: Path) -> tuple[dict[str, Any] | None, str]:
    """One report; see `load`."""
    from gandoctor import GandoctorError, Options, analyze  # noqa: PLC0415

    kept = KEPT / state() / f"{_name(run)}.json"
    if kept.is_file():
        told = json.loads(kept.read_text("utf-8"))
        return told["report"], told["error"]
    try:
        said, error = analyze(run, Options(use_preferences=False)).to_dict() | {"series": {}}, ""
    except GandoctorError as e:
        said, error = None, str(e)
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(".half")
    half.write_text(json.dumps({"report": said, "error": error}), "utf-8")
    half.replace(kept)
    return said, error


@functools.cache
def state() -> str:
    """Name of this very state of gandoctor: its code and its rules."""
    import gandoctor  # noqa: PLC0415
    from gandoctor import rulebook  # noqa: PLC0415

    digest = hashlib.sha256()
    for folder, pattern in (
        (Path(gandoctor.__file__).parent, "*.py"),
        (rulebook.default_folder(), "*.yaml"),
    ):
        for path in sorted(p for p in folder.rglob(pattern) if not p.name.endswith(".test.yaml")):
            digest.update(
                path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return digest.hexdigest()[:12]


def _name(run: Path) -> str:
    truth = run.with_name(f"{run.name}.truth.json")
    made = truth.stat().st_mtime_ns if truth.exists() else 0
    return f"{run.name}-{hashlib.sha256(f'{run.resolve()} {made}'.encode()).hexdigest()[:8]}"


def _forget_old() -> None:
    for folder in KEPT.glob("*/"):
        if folder.name != state() and time.time() - folder.stat().st_mtime > STALE:
            shutil.rmtree(folder, ignore_errors=True)
