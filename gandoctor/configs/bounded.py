"""TOML within bounds: ``tomllib`` builds several dicts for every part of a key.

A key of n parts costs it n * n of memory (40 KB: 1.6 GB), so what is nobody's config is refused
before it is parsed.
"""

from __future__ import annotations

import re
from typing import Any, Final

from gandoctor.patterns import late_pattern

MAX_PARTS: Final = 32  # of one dotted key
MAX_TABLES: Final = 50_000  # parts of dotted keys, brackets and braces of the whole file
# Nothing in here backtracks: a string that is not closed ends with its line, or with the text.
_TOKEN: Final = late_pattern(
    r"""(?P<long>\"""(?:\\.|(?!\""").)*+(?:\""")?|\'\'\'(?:(?!\'\'\').)*+(?:\'\'\')?)
      | (?P<key>"(?:\\[^\n]|[^"\\\n])*+"?|'[^'\n]*+'?|[\w-]++)
      | (?P<dot>\.)
      | (?P<blank>[ \t]++|\#[^\n]*+)
      | (?P<open>[\[{])
      | (?P<other>[^\w\-"'.#\[{ \t]++|.)""",
    re.VERBOSE | re.DOTALL,
)


def loads(text: str) -> dict[str, Any]:
    """As ``tomllib.loads``.

    Raises
    ------
    ValueError
        Where the text is no TOML, or asks for more than a config needs.
    """
    import tomllib

    fault = _fault(text)
    if fault:
        raise ValueError(fault)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (RecursionError, MemoryError):
        raise ValueError("nested too deep to be read") from None
    except ValueError:  # Python refuses to make a number of more than 4,300 digits
        raise ValueError(_long_number(text)) from None


def _fault(text: str) -> str:
    """What of the text is too much; empty where all is well."""
    if text.count(".") + text.count("[") + text.count("{") <= MAX_PARTS:
        return ""
    parts = tables = 0
    dotted = False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "key":
            parts = parts + 1 if dotted else 1
            tables += dotted
            dotted = False
            if parts > MAX_PARTS:
                return (
                    f"line {_line(text, token.start())}: a key of more than {MAX_PARTS} dotted "
                    "parts"
                )
        elif kind == "dot":
            dotted = parts > 0
        elif kind != "blank":
            parts, dotted = 0, False
            tables += kind == "open"
        if tables > MAX_TABLES:
            return f"line {_line(text, token.start())}: more than {MAX_TABLES:,} tables and lists"
    return ""


def _long_number(text: str) -> str:
    found = re.search(r"(?<![\w])[-+]?[\d_]{4300,}", text)
    where = f"line {_line(text, found.start())}: " if found else ""
    return f"{where}a number that is too large to be read"


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
