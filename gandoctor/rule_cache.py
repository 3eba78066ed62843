"""What parsing our own rule files gave, kept between runs as plain data.

Two hundred YAML files take longer than a log.

One file in the user's cache folder: a line that names its format, our version and the checksum of
the rest; then a line a rule file: the checksum of its bytes, and what they parse to, as JSON. A
rule file is read at each run and looked up by its bytes, so a cache that is old, or of another
installation, is merely of no use. What comes out of it passes every check that YAML passes; where
one fails, all is parsed again. A cache that is damaged, or that another user could have written, is
ignored; nothing about a cache is ever an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MISSING: Final = object()
OFF: Final = "GANDOCTOR_NO_CACHE"
_NAME: Final = "rules.cache"
_FORMAT: Final = f"gandoctor rules 1 {sys.modules['gandoctor'].__version__}"
_MOST: Final = 16 << 20
_MOST_MADE: Final = 8
_UNLIKE: Final = b"-"  # JSON cannot hold what this file parses to
_T = TypeVar("_T")


class _Kept:
    """What is known in this process."""

    def __init__(self) -> None:
        self.found: dict[bytes, bytes] | None = None  # on disk
        self.learned: dict[bytes, Any] = {}
        self.made: dict[object, Any] = {}
        self.served = False
        self.passed_over = False


_kept = _Kept()


def forget() -> None:
    """Forget what was read of the cache, as a new process would."""
    _kept.__init__()  # type: ignore[misc]


def once(key: object, make: Callable[[], _T]) -> _T:
    """What `make` gives, made once in this process for a key that names the files it is made of."""
    if key not in _kept.made:
        made = make()
        if len(_kept.made) >= _MOST_MADE:
            _kept.made.clear()
        _kept.made[key] = made
    found: _T = _kept.made[key]
    return found


def known(raw: bytes) -> Any:
    """What a rule file with these bytes parses to, fresh each time.

    `MISSING` where it is not known.
    """
    if _off():
        return MISSING
    if _kept.found is None:
        _kept.found = _read()
    line = _kept.found.get(_sum(raw), _UNLIKE)
    if line == _UNLIKE:
        return MISSING
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return MISSING
    if not isinstance(data, dict) or not data:  # as every rule file is
        return MISSING
    _kept.served = True
    return data


def learn(raw: bytes, data: Any) -> None:
    """Remember what the bytes of a rule file parsed to, until `keep`."""
    if not _off():
        _kept.learned[_sum(raw)] = data


def keep(contents: Callable[[], Iterable[bytes]]) -> None:
    """Write what was learned, with what was known already.

    Of it only what is among the `contents` of rule files.
    """
    new = {s: d for s, d in _kept.learned.items() if s not in (_kept.found or {})}
    if not new or _off():
        return
    _kept.learned = {}
    place = _place()
    try:
        if place is None or not _is_ours_alone(place.parent):
            return
        lines = {**_read(), **{s: _line(d) for s, d in new.items()}}
        now = {_sum(raw) for raw in contents()}
        _write(place, {s: line for s, line in lines.items() if s in now})
        _kept.found = {**(_kept.found or {}), **lines}
    except OSError:
        return


def checked(load: Callable[[], _T]) -> _T:
    """What `load` gives; where it fails on what the cache said, what it gives without it."""
    _kept.served = False
    try:
        return load()
    except Exception:
        if not _kept.served:
            raise
    with _without():
        return load()


@contextmanager
def _without() -> Iterator[None]:
    _kept.passed_over = True
    try:
        yield
    finally:
        _kept.passed_over = False


def _off() -> bool:
    return _kept.passed_over or bool(os.environ.get(OFF))


def _sum(raw: bytes) -> bytes:
    return hashlib.sha256(raw).hexdigest().encode()


def _line(data: Any) -> bytes:
    """Data as one line of JSON, if that gives the same data back.

    Order of keys, kinds of numbers and all.
    """
    try:
        text = json.dumps(data, separators=(",", ":"))
        same = repr(json.loads(text)) == repr(data)
    except (TypeError, ValueError, RecursionError):
        return _UNLIKE
    return text.encode() if same else _UNLIKE


def _place() -> Path | None:
    """Where the cache is: the platform's folder for what can be made again.

    None where there is none.
    """
    base = Path(os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        home = Path(os.path.expanduser("~"))  # noqa: PTH111  Path.home() raises where there is none
        base = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return base / "gandoctor" / _NAME if base.is_absolute() else None


def _is_ours_alone(folder: Path) -> bool:
    """Make the folder if need be; whether only we can write in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _private(folder.stat())


def _private(state: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):  # Windows: the folder is the user's own
        return True
    return state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read() -> dict[bytes, bytes]:
    """The lines of the cache; none where it is not to be trusted."""
    place = _place()
    if place is None:
        return {}
    quiet = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(place, os.O_RDONLY | quiet), "rb") as file:  # noqa: PTH123  a descriptor, not a path
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode) or state.st_size > _MOST or not _private(state):
                return {}
            if not _private(place.parent.stat()):
                return {}
            head, _, body = file.read(_MOST + 1).partition(b"\n")
    except OSError:
        return {}
    if head != _head(body):
        return {}
    pairs = (line.partition(b" ") for line in body.splitlines())
    return {key: line for key, _, line in pairs}


def _head(body: bytes) -> bytes:
    return f"{_FORMAT} {hashlib.sha256(body).hexdigest()}".encode()


def _write(place: Path, lines: dict[bytes, bytes]) -> None:
    """Put a whole file in place of the old one: who reads meanwhile sees one or the other."""
    import tempfile

    body = b"".join(key + b" " + line + b"\n" for key, line in sorted(lines.items()))
    number, name = tempfile.mkstemp(prefix=f"{_NAME}.", dir=place.parent)
    try:
        with open(number, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(_head(body) + b"\n" + body)
        Path(name).replace(place)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
