"""Parts of a file, read where and when they are needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gandoctor.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


class Window:
    """A part of a file; nothing is read before it is asked for.

    Parameters
    ----------
    path : Path
    start, length : int
        Where it begins in the file, and how many bytes it has.
    name : str
        What the file is called in messages.
    """

    __slots__ = ("length", "name", "path", "start")

    def __init__(self, path: Path, start: int, length: int, name: str = "") -> None:
        self.path = path
        self.start = start
        self.length = length
        self.name = name or path.name

    @classmethod
    def of(cls, path: Path) -> Window:
        """A whole file.

        Raises
        ------
        InputError
            It cannot be opened.
        """
        try:
            return cls(path, 0, path.stat().st_size)
        except OSError as fault:
            raise InputError(f"cannot be read ({fault.strerror or fault})", path.name) from None

    def some(self, at: int, count: int) -> bytes:
        """Bytes from `at` on: `count` of them, or fewer where the window ends."""
        count = min(count, self.length - at)
        if at < 0 or count <= 0:
            return b""
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.start + at)
                parts = []
                while count > 0 and (part := file.read(count)):
                    parts.append(part)
                    count -= len(part)
        except OSError as fault:
            raise InputError(f"cannot be read ({fault.strerror or fault})", self.name) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read(self, at: int, count: int) -> bytes:
        """Exactly `count` bytes.

        Raises
        ------
        InputError
            The window ends before.
        """
        found = self.some(at, count)
        if len(found) != count:
            raise InputError("ends too early: the copy broke off", self.name, "copy it again")
        return found

    def part(self, at: int, count: int) -> Window:
        """A window in this one; the caller has seen that it lies within."""
        return Window(self.path, self.start + at, count, self.name)

    def identity(self) -> tuple[str, int]:
        """What tells it from others: the same place in the same file."""
        return os.fspath(self.path), self.start


class Held(Window):
    """Bytes in memory, as a window (what was packed in the file, and unpacked).

    Parameters
    ----------
    data : bytes
    path : Path
    name : str
    start : int
        Tells it from others of the same file.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes, path: Path, name: str, start: int = 0) -> None:
        super().__init__(path, start, len(data), name)
        self.data = data

    def some(self, at: int, count: int) -> bytes:
        """Bytes from `at` on: `count` of them, or fewer where the window ends."""
        return self.data[at : at + max(0, count)] if at >= 0 else b""

    def part(self, at: int, count: int) -> Window:
        """A window in this one."""
        return Held(self.data[at : at + count], self.path, self.name, self.start + at)
