"""Shell scripts that start a training: ``--key value``, ``--key=value``, ``key=value``.

Read as words, never run.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from gandoctor.configs.entries import Entries, FullError, word
from gandoctor.configs.splice import (
    Spliced,
    SpliceError,
    Target,
    Value,
    Way,
    by_tail,
    number,
    number_text,
    splice_at,
)
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.configs.entries import Path

SUFFIXES: Final = (".sh", ".bash")
CODE: Final = True  # beside a log it is no config of the run

# A word is made of quoted and plain pieces; a backslash before a line end is a blank.
_GAP: Final = late_pattern(r"(?:[ \t\r]|\\\r?\n)+")
_WORD: Final = late_pattern(
    r"""(?:[^\s\\'"#;|&()<>`]|\\[^\n]|'[^']*'|"(?:[^"\\]|\\.)*"|(?<=\S)#)+""", re.DOTALL
)
_COMMENT: Final = late_pattern(r"#[^\n]*")
_FLAG: Final = late_pattern(r"--?([A-Za-z][\w./-]*)(=?)", re.ASCII)
_PAIR: Final = late_pattern(r"\+{0,2}([A-Za-z_][\w./@-]*)=", re.ASCII)
_PLAIN: Final = late_pattern(r"[\w.,:/+@%=-]+", re.ASCII)


def scan(text: str) -> Entries:
    """Every option and assignment with a value of its own, in file order.

    What the shell would work out is left out.
    """
    script = _Script(text)
    try:
        script.run()
    except FullError:
        script.entries.full()
    return script.entries


class _Script:
    """The state of one scan."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.entries = Entries()
        self.times: dict[Path, int] = {}
        self.line = 1
        self.seen = 0  # the line breaks before it are counted

    def run(self) -> None:
        text, option = self.text, ""
        at = int(text.startswith("\ufeff"))
        while at < len(text):
            gap = _GAP.match(text, at) or _COMMENT.match(text, at)
            if gap:
                at = gap.end()
                continue
            found = _WORD.match(text, at)
            if not found:
                at, option = at + 1, ""  # a line end or an operator: the command ends
                continue
            option = self.take(found.group(), at, option)
            at = found.end()

    def take(self, piece: str, at: int, option: str) -> str:
        """Note the value that a word gives, and return the option that waits for one."""
        head = _FLAG.match(piece)
        if option and not (head and number(piece) is None):
            self.note(option, piece, at)
            return ""
        if head and head[2]:
            self.note(head[1], piece[head.end() :], at + head.end())
            return ""
        if head and head.end() == len(piece):
            return head[1]
        pair = _PAIR.match(piece)
        if pair:
            self.note(pair[1], piece[pair.end() :], at + pair.end())
        return ""

    def note(self, key: str, raw: str, at: int) -> None:
        if re.search(r"[$`*?~\[\]{}]", re.sub(r"'[^']*'", "", raw)):
            return  # worked out by the shell
        try:
            words = shlex.split(raw)
        except ValueError:
            return
        if len(words) != 1:
            return
        path = tuple(key.split("."))
        self.line += self.text.count("\n", self.seen, at)
        self.seen = at
        times = self.times[path] = self.times.get(path, 0) + 1
        stuck = f"stands in the file {times} times" if times > 1 else ""
        value = number(words[0])
        value_read = word(words[0]) if value is None else value
        self.entries.add(path, value_read, self.line, (at, at + len(raw)), stuck)


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
    out = splice_at(text, targets, Way(scan, literal, "script", locate=by_tail))
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
