"""Patterns that are compiled when they are first used.

A short ``gandoctor analyze`` uses a third of all patterns that the modules on its way hold, and
compiling the rest takes longer than reading a small log. Type checkers see `re.compile`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["late_pattern"]

if TYPE_CHECKING:
    from re import compile as late_pattern
else:

    class late_pattern:  # noqa: N801  it stands for a function
        """As `re.compile`, later."""

        def __init__(self, text: Any, flags: Any = 0) -> None:
            self._asked = (text, flags)

        def __getattr__(self, name: str) -> Any:
            """Compile it, and have all that the compiled one has from now on."""
            if name.startswith("__"):
                raise AttributeError(name)
            compiled = re.compile(*self._asked)
            methods = (n for n in dir(compiled) if not n.startswith("_"))
            vars(self).update({n: getattr(compiled, n) for n in methods})
            return getattr(compiled, name)

        def __repr__(self) -> str:
            return f"late_pattern({self._asked[0]!r})"
