"""Shell scripts that start a training: ``--key value``, ``--key=value``, ``key=value``.

Read as words, never run.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from gandoctor.configs.splice import (
    MAX_LEAVES,
    Spliced,
    SpliceError,
    Spot,
    Target,
    Value,
    by_tail,
    changed,
    line_of,
    number,
    number_text,
    splice_at,
    values_at,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# A word is made of quoted and plain pieces; a backslash before a line end is a blank.
_GAP: Final = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_WORD: Final = re.compile(
    r"""(?:[^\s\\'"#;|&()<>`]|\\[^\n]|'[^']*'|"(?:[^"\\]|\\.)*"|(?<=\S)#)+""", re.DOTALL
)
_COMMENT: Final = re.compile(r"#[^\n]*")
_FLAG: Final = re.compile(r"--?([A-Za-z][\w./-]*)(=?)", re.ASCII)
_PAIR: Final = re.compile(r"\+{0,2}([A-Za-z_][\w./@-]*)=", re.ASCII)
_PLAIN: Final = re.compile(r"[\w.,:/+@%=-]+", re.ASCII)


def spots(text: str) -> list[Spot]:
    """Every option and assignment with a value of its own, in file order.

    What the shell would work out is left out.
    """
    found: list[Spot] = []
    at, option = 0, ""
    while at < len(text):
        gap = _GAP.match(text, at) or _COMMENT.match(text, at)
        if gap:
            at = gap.end()
            continue
        word = _WORD.match(text, at)
        if not word:
            at, option = at + 1, ""  # a line end or an operator: the command ends
            continue
        option = _taken(word.group(), at, option, text, found)
        at = word.end()
        if len(found) > MAX_LEAVES:
            raise SpliceError(f"the file holds more than {MAX_LEAVES} values")
    return found


def _taken(word: str, at: int, option: str, text: str, found: list[Spot]) -> str:
    """Note the value that a word gives, and return the option that waits for one."""
    head = _FLAG.match(word)
    if option and not (head and number(word) is None):
        _note(option, word, at, text, found)
        return ""
    if head and head[2]:
        _note(head[1], word[head.end() :], at + head.end(), text, found)
        return ""
    if head and head.end() == len(word):
        return head[1]
    pair = _PAIR.match(word)
    if pair:
        _note(pair[1], word[pair.end() :], at + pair.end(), text, found)
    return ""


def _note(key: str, raw: str, at: int, text: str, found: list[Spot]) -> None:
    if re.search(r"[$`*?~\[\]{}]", re.sub(r"'[^']*'", "", raw)):
        return  # worked out by the shell
    try:
        words = shlex.split(raw)
    except ValueError:
        return
    if len(words) == 1:
        found.append(
            Spot(tuple(key.split(".")), at, at + len(raw), line_of(text, at), _read(words[0]))
        )


def _read(word: str) -> object:
    value = number(word)
    if value is not None:
        return value
    return word in ("True", "true") if word in ("True", "true", "False", "false") else word


def literal(old: str, new: Value) -> str:
    """`new` as one word, in the quotes and the notation of `old`."""
    bare = old.strip("\"'")
    if isinstance(new, bool):
        said = {"True": "False", "False": "True", "true": "false", "false": "true"}
        return old.replace(
            bare, bare if (bare in ("True", "true")) is new else said.get(bare, str(new))
        )
    if new is None:
        raise SpliceError("a command line has no null")
    said_new = number_text(bare, new) if isinstance(new, int | float) else new
    if not _PLAIN.fullmatch(said_new):
        raise SpliceError(f"`{said_new}` does not fit into a command line")
    quoted = old[:1] in ("'", '"') and old[-1:] == old[:1]
    return old[0] + said_new + old[0] if quoted else said_new


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, stands in several commands, or if anything else would change.
    """
    out = splice_at(text, targets, spots, _values, literal, locate=by_tail)
    before, after = _words(text), _words(out.text)
    other = sum(a != b for a, b in zip(before, after, strict=False))
    if len(before) != len(after) or other != len(targets):
        raise SpliceError("the commands would change their shape")
    return out


def _words(text: str) -> list[str]:
    """The words as a shell would see them."""
    try:
        return shlex.split(text, comments=True)
    except ValueError as e:
        raise SpliceError(f"it is no plain script ({e})") from e


_values: Final = values_at(spots)


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that would be passed otherwise; None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(_values(before), _values(after))
