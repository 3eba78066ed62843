"""Tables that are drawn for the eye, and tensors in cells.

A text as the plain table that it shows.
"""

from __future__ import annotations

import html
import re
from typing import Final

from gandoctor.parsers.rows.names import tells_of_training
from gandoctor.patterns import late_pattern

_BOX: Final = str.maketrans(dict.fromkeys("│┃║┆┊▏｜", "|"))
_BOXED: Final = late_pattern("[│┃║┆┊▏｜]")
# |---|:---:|, +-----+====+, ├──┼──┤
_RULE: Final = late_pattern(r"\s*+[-+|:=_\s\u2500-\u257f]*+")
_RULE_PART: Final = late_pattern(r"[-=_\u2500-\u257f]{2}|-\s*\||\|\s*:?-")
_EMPHASIS: Final = late_pattern(r"^(\*{1,3}|_{1,2}|`{1,2})(.{1,200}?)\1$")
_LEAST_ROWS: Final = 2  # of numbers
_ROWS: Final = 5  # bare rows that make a table
_PEEK: Final = 400  # lines that may stand before one
_WIDEST: Final = 20  # numbers of a bare row
_STAMP: Final = late_pattern(
    r"\s*+\[?(?:\d{4}[-/]\d\d?[-/]\d\d?[T ])?\d\d?:\d\d:\d\d(?:[.,]\d{1,6})?\]?[\s|,:-]{0,4}"
)
_BETWEEN: Final = late_pattern(r"[\s,;|/]+")
# Columns: ..., "# ..." and the like before the names
_BEFORE_NAMES: Final = late_pattern(
    r"\s*+(?:[#%/]{1,3}\s*+)?(?:(?:columns?|format|order|header|fields?|losses)\s?[:=]\s*+)?",
    re.IGNORECASE,
)

_PAGE: Final = late_pattern(
    r"\s*+<(?:!doctype html|html|head|body|pre|table|\?xml)\b", re.IGNORECASE
)
_NOT_SHOWN: Final = late_pattern(r"<(script|style)\b.*?(?:</\1\s*+>|\Z)", re.IGNORECASE | re.DOTALL)
_ENDS_CELL: Final = late_pattern(r"</t[dh]\s*+>(?=\s*+<t[dh]\b)", re.IGNORECASE)
_ENDS_LINE: Final = late_pattern(
    r"<(?:br|/p|/div|/tr|/li|/pre|/h\d)\b[^<>]{0,200}+>", re.IGNORECASE
)
_MARKUP: Final = late_pattern(r"</?[A-Za-z!][^<>]{0,2000}+>")

_NUMBER: Final = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|[-+]?(?:nan|inf)"
# As tensor(0.01, device='cuda:0'), tf.Tensor(0.01, shape=(), dtype=float32), array([0.01]).
_TENSOR: Final = late_pattern(
    r"(?<![A-Za-z0-9_.])(?:\w{1,20}\.){0,3}(?:tensor|Tensor|EagerTensor|array|Array|DeviceArray|"
    r"(?:np_)?float(?:16|32|64)?"
    rf"|bfloat16)\(\s*+[\[(]{{0,4}}\s*+({_NUMBER})\s*+[\])]{{0,4}}\s*+(?:,(?:[^()\n]|"
    rf"\([^()\n]{{0,60}}+\)){{0,120}}+)?\)"
)
# <tf.Tensor: shape=(), dtype=float32, numpy=0.69>
_TENSOR_TF: Final = late_pattern(
    rf"<(?:tf\.)?(?:Eager)?Tensor[^<>\n]{{0,100}}numpy=\[?({_NUMBER})\]?[^<>\n]{{0,40}}>"
)


def shown_table(text: str) -> str:
    """A text with drawn tables (bars around cells, rules between rows) as plain rows.

    Other text around a drawn table is left out. A text that draws no table is given back as it is.
    """
    text = _named_rows(without_tensors(shown_page(text)))
    if "|" not in text and (text.isascii() or not _BOXED.search(text)):
        return text
    lines = text.translate(_BOX).splitlines()
    rules = [_is_rule(line) for line in lines]
    barred = [("|" in line) and not rule for line, rule in zip(lines, rules, strict=True)]
    framed = sum(
        b and line.strip()[:1] == "|" and line.strip()[-1:] == "|"
        for b, line in zip(barred, lines, strict=True)
    )
    ruled = any(
        rule and (barred[i - 1 : i] == [True] or barred[i + 1 : i + 2] == [True])
        for i, rule in enumerate(rules)
    )
    if sum(barred) <= _LEAST_ROWS or not (ruled or framed * 2 > sum(barred)):
        return text
    rows = [_cells(line) for line, bar in zip(lines, barred, strict=True) if bar]
    if not any(len(row) > 1 for row in rows):
        return text
    return _plain(rows, text)


def _plain(rows: list[list[str]], text: str) -> str:
    """Rows as lines; the last one is as unfinished as that of the text."""
    return "\n".join("|".join(row) for row in rows) + ("\n" if text.endswith(("\n", "\r")) else "")


def _is_rule(line: str) -> bool:
    return (
        bool(line.strip())
        and _RULE.fullmatch(line) is not None
        and _RULE_PART.search(line) is not None
    )


def _cells(line: str) -> list[str]:
    """Cells of a drawn row, without the frame and without emphasis."""
    bare = line.strip()
    bare = bare.removeprefix("|")
    cells = [cell.strip() for cell in bare.removesuffix("|").split("|")]
    return [m[2].strip() if (m := _EMPHASIS.match(cell)) else cell for cell in cells]


def without_tensors(text: str) -> str:
    """A text with the number in place of each printed tensor that holds a single one."""
    if "ensor(" in text or "rray(" in text or "float" in text:
        text = _TENSOR.sub(r"\1", text)
    if "numpy=" in text:
        text = _TENSOR_TF.sub(r"\1", text)
    return text


def shown_page(text: str) -> str:
    """What a page shows of itself: without tags, scripts and styles.

    Any other text stays as it is.
    """
    if not _PAGE.match(text):
        return text
    text = _ENDS_LINE.sub("\n", _ENDS_CELL.sub("|", _NOT_SHOWN.sub("", text)))
    return html.unescape(_MARKUP.sub("", text))


def _named_rows(text: str) -> str:
    """Bare numbers under a line that names them (``D loss, G loss`` over ``0.61 1.02``) as rows.

    Rows in brackets lose them. Where the first line names the columns as the rows part them,
    nothing is to be done.
    """
    lines = text[: 1 << 16].splitlines()[:_PEEK]
    first = next((i for i, line in enumerate(lines) if len(_bare(line)) > 1), None)
    if first is None:
        return text
    width = len(_bare(lines[first]))
    head = next((i for i in range(first - 1, -1, -1) if lines[i].strip()), None)
    if (
        head is not None
        and not any(line.strip() for line in lines[:head])
        and _is_regular(lines[head], lines[first])
    ):
        return text
    names = _names_in(lines[head], width) if head is not None else []
    body = [line for line in lines[first:] if line.strip()]
    alike = sum(len(_bare(line)) == width for line in body)
    if width > _WIDEST or alike < _ROWS or alike * 10 < 7 * len(body):
        return text
    bracketed = lines[first].strip()[0] in "[(" and "," in lines[first]
    if not names and not (head is None and bracketed):
        return text
    rows = [cells for line in text.splitlines()[first:] if (cells := _bare(line))]
    return _plain([names, *rows] if names else rows, text)


def _bare(line: str) -> list[str]:
    """Numbers of a line that holds nothing else, a time in front and brackets around left out.

    None where it does.
    """
    if len(line) > 40 * _WIDEST:
        return []
    bare = line[m.end() :] if (m := _STAMP.match(line)) else line
    cells = [cell for cell in _BETWEEN.split(bare.strip().strip("()[]")) if cell]
    try:
        for cell in cells:
            float(cell)
    except ValueError:
        return []
    return cells


def _names_in(line: str, width: int) -> list[str]:
    """The names of `width` columns in a line; none where it does not name a training's."""
    if len(line) > 40 * _WIDEST:
        return []
    line = line[m.end() :] if (m := _STAMP.match(line)) else line
    bare = line[_BEFORE_NAMES.match(line).end() :].strip().strip("()[]:").strip()  # type: ignore[union-attr]
    ways = [
        re.split(sep, bare)
        for sep in (
            r"\s*,\s*",
            r"\s*;\s*",
            r"\s*\|\s*",
            r"\t+",
            r"\s+/\s+",
            r"\s{2,}",
            r"\s+",
            r"/",
        )
    ]
    words = bare.split()
    if width and len(words) > width and len(words) % width == 0:  # D loss G loss
        size = len(words) // width
        groups = [" ".join(words[k : k + size]) for k in range(0, len(words), size)]
        ways += [groups] if all(tells_of_training([g]) for g in groups) else []
    for names in ways:
        named = (
            len(names) in (width, width - 1) and len(names) > 1 and len(set(names)) == len(names)
        )
        if named and all(re.search(r"[^\W\d]", n) for n in names) and tells_of_training(names):
            return names if len(names) == width else ["", *names]
    return []


def _is_regular(head: str, row: str) -> bool:
    """Whether the names are parted as the numbers are."""
    if (
        _STAMP.match(row)
        or row.strip()[:1] in ("[", "(")
        or head.strip()[:1] in ("#", "%", "/", "(", "[")
    ):
        return False
    for sep in (",", ";", "\t", "|"):
        if sep in row:
            return head.count(sep) == row.count(sep)
    return (
        "/" not in row and len(head.split()) == len(row.split()) and not re.search(r"[,;|]", head)
    )
