"""Bytes of a log to text, or one sentence on why not."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 2 << 30  # bytes; a longer text log is no log anybody reads in one piece
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LFS: Final = b"version https://git-lfs.github.com/spec/"
# What no text holds: control characters other than tab, newlines, form feed, backspace (progress bars) and escape.
_CONTROL: Final = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


def is_pointer(head: bytes) -> bool:
    """Whether `head` begins a Git LFS pointer file."""
    return head.startswith(_LFS)


def encoding_of(head: bytes) -> str | None:
    """Name of the text encoding that `head` (the first bytes of a file) is in; None for binary data."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if len(_CONTROL.findall(head)) * 200 > len(head) or b"\x00" in head:
        return None
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def text_of_head(head: bytes) -> str:
    """`head` as text for sniffing, its last, perhaps cut, line left out; empty for binary data and pointers."""
    encoding = encoding_of(head)
    if encoding is None or is_pointer(head):
        return ""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if len(head) < 1 << 16:
        return text
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text[: cut + 1] if cut > 0 else text


def look_at(path: Path) -> tuple[int, bytes]:
    """Size and first 64 KiB of a file that should be text.

    Raises
    ------
    InputError
        The file cannot be opened, is too large, a Git LFS pointer, or binary.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
    except OSError as fault:
        raise InputError(f"cannot be read ({fault.strerror or fault})", path.name) from None
    if size > LARGEST:
        raise InputError(f"larger than {LARGEST >> 30} GB", path.name, "split it, or point at the event files")
    if is_pointer(head):
        raise InputError("a Git LFS pointer, not the log itself", path.name, "fetch it with: git lfs pull")
    if encoding_of(head) is None:
        raise InputError("binary or encrypted data, not a text log", path.name)
    return size, head


def load_bytes(path: Path) -> bytes:
    """The content of a file that should be text; raises as `look_at` does."""
    look_at(path)
    try:
        return path.read_bytes()
    except OSError as fault:
        raise InputError(f"cannot be read ({fault.strerror or fault})", path.name) from None


def decode(data: bytes) -> tuple[str, int]:
    """Text of a file and the number of characters that could not be decoded."""
    encoding = encoding_of(data[: 1 << 16]) or "latin-1"
    try:
        return data.decode(encoding), 0
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
        return text, text.count("\ufffd")


def load_text(path: Path) -> tuple[str, int]:
    """`load_bytes`, decoded: the text and how many characters could not be decoded."""
    return decode(load_bytes(path))
