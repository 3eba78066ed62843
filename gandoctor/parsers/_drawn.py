"""Tables that are drawn for the eye, and tensors in cells: a text as the plain table that it shows."""

from __future__ import annotations

import html
import re
from typing import Final

_BOX: Final = str.maketrans(dict.fromkeys("│┃║┆┊▏｜", "|"))
_BOXED: Final = re.compile("[│┃║┆┊▏｜]")
# |---|:---:|, +-----+====+, ├──┼──┤
_RULE: Final = re.compile(r"\s*+[-+|:=_\s\u2500-\u257f]*+")
_RULE_PART: Final = re.compile(r"[-=_\u2500-\u257f]{2}|-\s*\||\|\s*:?-")
_EMPHASIS: Final = re.compile(r"^(\*{1,3}|_{1,2}|`{1,2})(.{1,200}?)\1$")
_LEAST_ROWS: Final = 2  # of numbers

_PAGE: Final = re.compile(r"\s*+<(?:!doctype html|html|head|body|pre|table|\?xml)\b", re.IGNORECASE)
_NOT_SHOWN: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*+>|\Z)", re.IGNORECASE | re.DOTALL)
_ENDS_CELL: Final = re.compile(r"</t[dh]\s*+>(?=\s*+<t[dh]\b)", re.IGNORECASE)
_ENDS_LINE: Final = re.compile(r"<(?:br|/p|/div|/tr|/li|/pre|/h\d)\b[^<>]{0,200}+>", re.IGNORECASE)
_MARKUP: Final = re.compile(r"</?[A-Za-z!][^<>]{0,2000}+>")

_NUMBER: Final = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|[-+]?(?:nan|inf)"
# tensor(0.01, device='cuda:0', grad_fn=<X>), tf.Tensor(0.01, shape=(), dtype=float32), np.float32(0.01), array([0.01])
_TENSOR: Final = re.compile(
    r"(?<![A-Za-z0-9_.])(?:\w{1,20}\.){0,3}(?:tensor|Tensor|EagerTensor|array|Array|DeviceArray|(?:np_)?float(?:16|32|64)?"
    rf"|bfloat16)\(\s*+[\[(]{{0,4}}\s*+({_NUMBER})\s*+[\])]{{0,4}}\s*+(?:,(?:[^()\n]|\([^()\n]{{0,60}}+\)){{0,120}}+)?\)"
)
# <tf.Tensor: shape=(), dtype=float32, numpy=0.69>
_TENSOR_TF: Final = re.compile(rf"<(?:tf\.)?(?:Eager)?Tensor[^<>\n]{{0,100}}numpy=\[?({_NUMBER})\]?[^<>\n]{{0,40}}>")


def shown_table(text: str) -> str:
    """A text with what is drawn in it (bars around cells, rules between rows) as plain rows with ``|`` between cells.

    Other text around a drawn table is left out. A text that draws no table is given back as it is.
    """
    text = without_tensors(shown_page(text))
    if "|" not in text and (text.isascii() or not _BOXED.search(text)):
        return text
    lines = text.translate(_BOX).splitlines()
    rules = [_is_rule(line) for line in lines]
    barred = [("|" in line) and not rule for line, rule in zip(lines, rules, strict=True)]
    framed = sum(
        b and line.strip()[:1] == "|" and line.strip()[-1:] == "|" for b, line in zip(barred, lines, strict=True)
    )
    ruled = any(
        rule and (barred[i - 1 : i] == [True] or barred[i + 1 : i + 2] == [True]) for i, rule in enumerate(rules)
    )
    if sum(barred) <= _LEAST_ROWS or not (ruled or framed * 2 > sum(barred)):
        return text
    rows = [_cells(line) for line, bar in zip(lines, barred, strict=True) if bar]
    if not any(len(row) > 1 for row in rows):
        return text
    return "".join(f"{'|'.join(row)}\n" for row in rows)


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and _RULE.fullmatch(line) is not None and _RULE_PART.search(line) is not None


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
    """What a page shows of itself: without tags, scripts and styles. Any other text stays as it is."""
    if not _PAGE.match(text):
        return text
    text = _ENDS_LINE.sub("\n", _ENDS_CELL.sub("|", _NOT_SHOWN.sub("", text)))
    return html.unescape(_MARKUP.sub("", text))
