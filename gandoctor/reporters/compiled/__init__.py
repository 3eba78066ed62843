"""The page's templates as jinja2 compiles them, one module each.

Compiling them anew at each run took a tenth of it.

Written by ``python -m gandoctor.reporters.compiled`` (``just templates``) after a template has
changed. A module counts only for the very template and the line of jinja2 (3.1) that it was made
from; otherwise the template itself is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import FileSystemLoader, __version__

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from jinja2 import Environment, Template

_LINE: Final = ".".join(__version__.split(".")[:2])


class Loader(FileSystemLoader):
    """Templates of a folder, compiled already where they and jinja2 are the same as then."""

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002
    ) -> Template:
        """Give the template that was compiled beforehand, or the one in its file."""
        try:
            values = _ready(_module(name))
            fits = (values["JINJA"], values["MADE_FROM"]) == (
                _LINE,
                _sum(Path(self.searchpath[0], name)),
            )
        except (ImportError, KeyError, OSError, SyntaxError):
            fits = False
        if not fits:
            return super().load(environment, name, globals)
        return environment.template_class.from_module_dict(
            environment, values, {} if globals is None else globals
        )


def _ready(module: str) -> dict[str, Any]:
    """The names in a module of ours, made anew: jinja2 writes the environment into them."""
    spec = importlib.util.find_spec(f"{__name__}.{module}")
    if spec is None or spec.loader is None:
        raise ImportError(module)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return vars(made)


def write(environment: Environment, folder: Path = Path(__file__).parent) -> list[Path]:
    """Compile all templates of an environment anew."""
    assert isinstance(environment.loader, Loader)  # noqa: S101  for the type checker
    written = []
    for name in environment.list_templates():
        source = Path(environment.loader.searchpath[0], name)
        code = environment.compile(source.read_text("utf-8"), name, name, raw=True, defer_init=True)
        head = (
            f"# Made from templates/{name} by `python -m gandoctor.reporters.compiled`: change "
            "that.\n"
        )
        path = folder / f"{_module(name)}.py"
        path.write_text(
            f"{head}JINJA = {_LINE!r}\nMADE_FROM = {_sum(source)!r}\n{code}\n", encoding="utf-8"
        )
        written.append(path)
    return written


def _module(name: str) -> str:
    return name.partition(".")[0]


def _sum(path: Path) -> str:
    # As text: a checkout may have turned the ends of lines.
    return hashlib.sha256(path.read_text("utf-8").encode()).hexdigest()
