"""Bytes of a log to text, or one sentence on why not."""

from __future__ import annotations

import codecs
import errno
import os
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from pathlib import Path

BLANK: Final = 1 << 16  # so many zero bytes in a row are no text and no record
LONGEST_TAG: Final = 1_000  # characters of a tag; what follows is cut off, and it is said
MOST_TAG_BYTES: Final = 4 * (LONGEST_TAG + 1)  # enough for a reader to see that a tag is longer
LONGEST_LINE: Final = 4 * BLANK  # bytes of one line of a printed log; no dump of options is longer
# Bytes of damage in which a sound record is looked for before a file is given up.
MOST_DAMAGE: Final = 256 << 20
LARGEST: Final = 2 << 30  # bytes; a longer text log is no log anybody reads in one piece
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LFS: Final = b"version https://git-lfs.github.com/spec/"
# What no text holds: control characters other than tab, newlines, form feed, backspace (progress
# bars) and escape.
_HIGH: Final = bytes(range(0x80, 0x100))
_CONTROL: Final = late_pattern(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


def is_pointer(head: bytes) -> bool:
    """Whether `head` begins a Git LFS pointer file."""
    return head.startswith(_LFS)


def encoding_of(head: bytes) -> str | None:
    """Name of the text encoding that `head` (the first bytes of a file) is in.

    None for binary data.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    text = head.rstrip(b"\0")  # room that was set aside and never written may follow
    if len(_CONTROL.findall(text)) * 200 > len(text) or b"\x00" in text or (head and not text):
        return None
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def text_of_head(head: bytes) -> str:
    """`head` as text for sniffing, its last, perhaps cut, line left out.

    Empty for binary data and pointers.
    """
    encoding = encoding_of(head)
    if encoding is None or is_pointer(head):
        return ""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head).rstrip("\0")
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
        raise InputError(
            f"larger than {LARGEST >> 30} GB", path.name, "split it, or point at the event files"
        )
    if is_pointer(head):
        raise InputError(
            "a Git LFS pointer, not the log itself", path.name, "fetch it with: git lfs pull"
        )
    if encoding_of(head) is None:
        raise InputError("binary or encrypted data, not a text log", path.name)
    return size, head


def load_text(path: Path, *, cut_lines: bool = False) -> tuple[str, list[str]]:
    """The content of a file that should be text, and what of it was lost; raises as `look_at` does.

    Long stretches of zeros are passed over: room that was set aside and never written (a crash, a
    full disk). With `cut_lines`, so is what follows the first `LONGEST_LINE` bytes of a line, that
    memory may not grow with it.
    """
    size, head = look_at(path)
    parts: list[bytes] = []
    zeros = 0
    lines = _Lines(wide=str(encoding_of(head)).startswith(("utf-16", "utf-32")))
    blank = bytes(BLANK)
    try:
        with path.open("rb", buffering=0) as stream:
            while part := stream.read(BLANK):
                if part == blank:
                    zeros += BLANK
                    at = stream.tell()
                    zeros += stream.seek(next_data(stream.fileno(), at, size)) - at
                else:
                    parts.append(lines.kept(part) if cut_lines else part)
    except OSError as fault:
        raise InputError(f"cannot be read ({fault.strerror or fault})", path.name) from None
    data = b"".join(parts)
    del parts
    padded, undecoded = decode(data)
    text = padded.rstrip("\0")
    zeros += len(padded) - len(text)
    lost = [zeros_of(zeros)] if zeros else []
    if lines.cut:
        lost.append(f"{lines.cut:,} lines of more than {LONGEST_LINE >> 10} KiB were cut")
    if undecoded:
        lost.append(f"{undecoded} characters could not be decoded")
    return text, lost


class _Lines:
    """Takes a text block by block, and lets go of what makes a line too long.

    Parameters
    ----------
    wide : bool
        Whether a character takes two bytes or four: the text is then cut between blocks and at
        multiples of four.
    """

    def __init__(self, *, wide: bool) -> None:
        self.wide = wide
        self.length = 0  # bytes of the line that the last block ended in
        self.cut = 0  # lines that were cut

    def kept(self, block: bytes) -> bytes:
        """What of the next block is kept."""
        ends = max(block.rfind(b"\n"), block.rfind(b"\r"))
        if self.length < LONGEST_LINE:
            self.length = len(block) - ends - 1 if ends >= 0 else self.length + len(block)
            if self.length < LONGEST_LINE:
                return block
            self.cut += 1
            return block if self.wide else block.rstrip(_HIGH)  # a character is not cut in two
        if ends < 0:
            return b""
        first = min(at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0)
        self.length = len(block) - ends - 1
        return block[first - first % 4 if self.wide else first :]


def next_data(descriptor: int, at: int, size: int) -> int:
    """The first place from `at` on that may hold something.

    Holes of sparse files are skipped where the system can.
    """
    if not hasattr(os, "SEEK_DATA"):
        return at
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as fault:
        return size if fault.errno == errno.ENXIO else at


def given_up(count: int) -> str:
    """What is said of the rest of a file in which nothing more was looked for."""
    return (
        f"the last {count:,} bytes were not looked at: before them {MOST_DAMAGE >> 20} MB are "
        "damaged"
    )


def nothing_in(zeros: int, size: int, where: str) -> InputError | None:
    """The error of a file that is zeros and nothing else; None for any other."""
    if not zeros or zeros < size - BLANK:
        return None
    return InputError(
        "holds nothing but zeros", where, "it was never written (a crash, a full disk): use a copy"
    )


def cut_short(size: int, where: str) -> InputError:
    """The error of a file that ends within its first record."""
    what = f"ends within its first record (at {size:,} bytes)"
    return InputError(
        what, where, "the training has only begun, or the copy broke off: wait, or copy it again"
    )


def zeros_of(count: int) -> str:
    """What is said of a stretch of zeros."""
    return f"at least {count:,} bytes of zeros, which were never written"


def decode(data: bytes) -> tuple[str, int]:
    """Text of a file and the number of characters that could not be decoded."""
    encoding = encoding_of(data[: 1 << 16]) or "latin-1"
    try:
        return data.decode(encoding), 0
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
        return text, text.count("\ufffd")
