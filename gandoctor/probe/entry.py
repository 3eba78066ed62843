"""The user's entry: found, loaded and called with what it asks for by name."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import GandoctorError, InputError, UsageError, near
from gandoctor.probe.asked import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USUAL_FILE: Final = "gandoctor_probe.py"
USUAL_NAME: Final = "build"
LEVELS: Final = 4  # folders above a run in which the usual file is looked for


class Settings(dict[str, Any]):
    """The run's settings: by canonical name, and by the user's own keys; also as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            hint = near(name, self) or f"there are {', '.join(sorted(self)[:12])}"
            raise AttributeError(f"the run has no setting {name!r}; {hint}") from None


def usual(run: Path, project: Path) -> Path | None:
    """``gandoctor_probe.py`` beside the run or above it, no higher than the user's own folder.

    A file *in* the folder of a run counts only where the user works there or above: what lies in a
    stranger's folder elsewhere is not run by itself.
    """
    home = (run if run.is_dir() else run.parent).resolve()
    project = project.resolve()
    for folder in (home, *list(home.parents)[:LEVELS]):
        if not folder.is_relative_to(project):
            break
        if (folder / USUAL_FILE).is_file():
            return folder / USUAL_FILE
    return project / USUAL_FILE if (project / USUAL_FILE).is_file() else None


def load(entry: str) -> Callable[..., Any]:
    """The function that ``file.py:build`` or ``module:build`` names.

    Raises
    ------
    GandoctorError
        There is none, or its file fails as it is loaded.
    """
    where, colon, name = entry.rpartition(":")
    # C:\x.py has a colon, too.
    if not colon or (len(where) == 1 and name.startswith(("\\", "/"))):
        where, name = entry, USUAL_NAME
    module = _of_file(Path(where)) if where.endswith(".py") else _of_name(where)
    found = getattr(module, name, None)
    if not callable(found):
        there = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        said = "is no function" if found is not None else f"has no {name!r}"
        hint = near(name, there) or f"write def {name}(checkpoint, settings): return Probe(...)"
        raise UsageError(f"{where} {said}", f"--entry {entry}", hint)
    return found  # type: ignore[no-any-return]


def _of_file(path: Path) -> Any:
    if not path.is_file():
        raise UsageError("there is no such file", f"--entry {path}", "give file.py:build")
    name = f"gandoctor_entry_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError("is no Python file", f"--entry {path}", "give file.py:build")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # What lies beside the entry can be imported by it, as where it is run itself.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as e:
        raise _failed("fails as it is loaded", str(path), e) from None
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _of_name(name: str) -> Any:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name and name.startswith(e.name):
            raise UsageError(
                f"there is no module {name!r}", f"--entry {name}", "give file.py:build"
            ) from None
        raise _failed("fails as it is imported", name, e) from None
    except Exception as e:
        raise _failed("fails as it is imported", name, e) from None
    finally:
        sys.path.remove(here)


def _failed(what: str, where: str, e: Exception) -> InputError:
    """The user's own fault, with the line of their file that it came from."""
    line = ""
    trace = e.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(Path(where).parent)) or where in (
            trace.tb_frame.f_code.co_filename
        ):
            line = f" in line {trace.tb_lineno}"
        trace = trace.tb_next
    said = str(e).partition("\n")[0][:200]
    return InputError(f"{what}{line} ({type(e).__name__}: {said})", where)


def call(build: Callable[..., Any], known: Mapping[str, Any], settings: Settings) -> Probe:
    """What the entry builds, called with what it asks for by the names of its parameters.

    Parameters
    ----------
    build : callable
    known : Mapping
        ``checkpoint``, ``settings``, ``device``, ``data``, ``run``, ``seed``.
    settings : Settings
        A parameter may also name one of these.

    Raises
    ------
    GandoctorError
        It asks for what nobody knows, fails, or gives no `Probe`.
    """
    where = getattr(build, "__qualname__", "build")
    given: dict[str, Any] = {}
    for name, p in inspect.signature(build).parameters.items():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if name in known:
            given[name] = known[name]
        elif name in settings:
            given[name] = settings[name]
        elif p.default is p.empty:
            raise UsageError(
                f"{where} asks for {name!r}, which is no setting of the run",
                "--entry",
                near(name, [*known, *settings]) or f"it may ask for {', '.join(known)}",
            )
    try:
        built = build(**given)
    except GandoctorError:
        raise
    except Exception as e:
        code = getattr(build, "__code__", None)
        raise _failed("fails", code.co_filename if code else where, e) from None
    if isinstance(built, dict):
        built = Probe(**built)
    if not isinstance(built, Probe):
        raise UsageError(
            f"{where} gives a {type(built).__name__}",
            "--entry",
            "return gandoctor.probe.Probe(...)",
        )
    return built
