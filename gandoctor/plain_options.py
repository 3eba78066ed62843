"""Texts and paths of the command line, taken as they are.

Newer versions of typer load pydantic to turn each argument into what its annotation says, which
takes as long as reading a small log. For a text, a path and lists of them nothing has to be turned;
all else, and every version of typer that does without, is left alone.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import typer
import typer.core

_LEAVES: Final[dict[Any, type]] = {str: str, Path: Path}
_PATH_CHECKS: Final = ("exists", "readable", "writable", "resolve_path", "allow_dash", "path_type")


class Group(typer.core.TyperGroup):
    """A group of commands whose options of texts and paths need no pydantic."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give the command of that name."""
        command: Any = super().get_command(ctx, cmd_name)
        if command is not None:
            command.get_params = functools.partial(_plain, type(command).get_params, command)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; a path in its place is taken for what somebody wants analysed."""
        word = args[0] if args else ""
        if self.get_command(ctx, word) is None and ("/" in word or Path(word).exists()):
            ctx.fail(f"No such command '{word}'. To look at a run: {ctx.info_name} analyze {word}")
        return super().resolve_command(ctx, args)

    def get_params(self, ctx: Any) -> Any:
        """Give the group's own options, and ``--help``."""
        return _plain(typer.core.TyperGroup.get_params, self, ctx)


def _plain(get_params: Any, command: Any, ctx: Any) -> Any:
    params = get_params(command, ctx)
    for param in params:
        if getattr(param, "_runtime_param", params) is None and hasattr(param, "get_runtime_param"):
            param._runtime_param = _Plain()
    return params


class _Plain:
    """Does what typer's own would do to a text or a path that nothing is asked of.

    Calls that for all else.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        made = self._made(value, param.type_descriptor, many=many)
        if made is not None:
            return made
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)

    @staticmethod
    def _made(value: Any, described: Any, *, many: bool) -> Any:
        kind, info = described.annotation, described.parameter_info
        if kind is int and type(value) is int:  # what was typed is text: this is a default
            return value
        if get_origin(kind) is list:
            kind = get_args(kind)[0]
        leaf = _LEAVES.get(kind)
        asked = _PATH_CHECKS if leaf is Path else ()
        if leaf is None or any(getattr(info, check, None) for check in ("parser", *asked)):
            return None
        if leaf is Path and not (info.file_okay and info.dir_okay):
            return None
        values = value if many else [value]
        if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
            return None
        if leaf is Path and "" in values:  # it would be the folder that one works in
            raise typer.BadParameter("a path is empty; is a variable unset?")
        return [leaf(v) for v in values] if many else leaf(value)
