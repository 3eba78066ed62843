"""Options that a log prints in its first lines, read as literals and never executed."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, Final

from gandoctor.model.signals import Setting
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gandoctor.model.signals import SettingValue

LONGEST: Final = 200_000  # characters of one printed option dump
MOST: Final = 2_000  # settings kept from one log
_DEEPEST: Final = 12
_MOST_ITEMS: Final = 64
# Characters of one key: a longer one would be written again before each of its members.
_LONGEST_KEY: Final = 200
_CALL: Final = late_pattern(
    r"\b(?:Namespace|Munch|AttrDict|EasyDict|SimpleNamespace|HParams|Config|dict)\("
)
_DUMP: Final = late_pattern(rf"(?P<call>{_CALL.pattern})|\{{\s*['\"]")
_SIGNATURE: Final = late_pattern(
    r"\b(?:Namespace|Munch|AttrDict|EasyDict|SimpleNamespace|HParams)\(|[>:=]\s*\{['\"]|^\s*\{['\"]"
)
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_PAIR: Final = late_pattern(
    r"^[\s|>*\-]*(?P<key>[A-Za-z_][\w.\-]*(?:[ /][A-Za-z_][\w.\-]*){0,3})"
    r"\s*(?:[:=]|\s->\s)\s*(?P<value>\S.*)$"
)
_STRING: Final = late_pattern(r'"(?:[^"\\]|\\.)*+"?')  # one that is not closed goes on to the end
_LAST_NAME: Final = late_pattern(r"(?<![\w.])[\w.]++$")


def parse_namespace(text: str) -> list[tuple[str, SettingValue]]:
    """Keys and values of ``Namespace(lr=0.0002, betas=(0.5, 0.999), ...)`` anywhere in `text`.

    Nested namespaces and dictionaries give dotted keys, list items are numbered (``betas.0``). Only
    literals are evaluated; anything else (``device(type='cuda')``) stays as the text it is.

    Parameters
    ----------
    text : str
        A line, or a whole file.

    Returns
    -------
    list of (str, value)
        Empty where nothing like it stands in `text`.
    """
    return list(_dumped(text))


def settings_of(lines: Iterable[str]) -> list[Setting]:
    """Settings among the first lines of a log.

    Dumps of namespaces, dictionaries and JSON, ``key: value [default: x]``.

    Parameters
    ----------
    lines : iterable of str
        The log up to its first training record.
    """
    found: dict[str, SettingValue] = {}
    block: list[str] = []
    prefix = ""
    depth = 0
    for line in lines:
        if len(found) >= MOST:
            break
        text = line[:LONGEST].rstrip()
        if block:
            block.append(text)
            depth += _balance(text)
            if depth <= 0 or len(block) > MOST:
                found.update(_json_block(block, prefix))
                block, prefix = [], ""
            continue
        if name := _assigned(text):
            prefix = name.rsplit(".", 1)[-1][:_LONGEST_KEY] + "."
            continue
        if text.endswith("{") and (len(text) == 1 or text[-2] in ">=:" or text[-2].isspace()):
            block, depth = [text[text.rindex("{") :]], 1
            continue
        prefix = ""
        if _SIGNATURE.search(text):
            found.update(_dumped(text))
        elif pair := _pair(text):
            found[pair[0]] = pair[1]
    return [Setting("", value, key) for key, value in list(found.items())[:MOST]]


def without_default(text: str) -> str:
    """A printed option without the ``[default: x]`` that pix2pix's programs put behind it."""
    text = text.rstrip()
    begin = text.find("[default:") if text.endswith("]") else -1
    return text if begin < 0 else text[:begin].rstrip()


def _assigned(text: str) -> str:
    """The name before an equals sign that ends the line; what follows is its value.

    Empty where there is none.
    """
    found = _LAST_NAME.search(text[:-1].rstrip()) if text.endswith("=") else None
    return re.sub(r"^[^A-Za-z_]+", "", found[0]) if found else ""


def _balance(text: str) -> int:
    bare = _STRING.sub("", text)
    return bare.count("{") - bare.count("}")


def _json_block(block: list[str], prefix: str) -> dict[str, SettingValue]:
    text = "\n".join(block)
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return {prefix + key: item for key, item in _flat(value)}


def _pair(text: str) -> tuple[str, SettingValue] | None:
    """``key: value``, the only one on its line, its value a plain literal."""
    found = _PAIR.match(without_default(text))
    if not found or len(found["value"]) > 200:
        return None
    value = _literal(found["value"])
    if isinstance(value, str) and not re.fullmatch(r"[\w.+\-/]+", value):
        return None
    return found["key"], value


def _literal(text: str) -> SettingValue:
    """A printed value as Python would read it, else its text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text.strip("'\"")
    return _plain(value, text)


def _plain(value: Any, text: str) -> SettingValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list) and len(value) <= _MOST_ITEMS:
        return tuple(_plain(v, str(v)) for v in value)
    return text


def _dumped(text: str) -> Iterator[tuple[str, SettingValue]]:
    """Pairs of every dump in a text: calls with keywords and dictionaries."""
    at = 0
    while found := _DUMP.search(text, at):
        begin = found.start()
        end = _end_of(text, found.end() - 1 if found["call"] else begin)
        if end < 0:
            return
        source = text[begin:end]
        at = end
        try:
            node = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        yield from _pairs(node, source.encode().split(b"\n"), "", 0)


def _end_of(text: str, opening: int) -> int:
    """Index behind the bracket that closes the one at `opening`; -1 where it is not closed."""
    closing: list[str] = []
    quote = ""
    at = opening
    stop = min(len(text), opening + LONGEST)
    while at < stop:
        c = text[at]
        if quote:
            if c == "\\":
                at += 1
            elif c == quote:
                quote = ""
        elif c in "'\"":
            quote = c
        elif c in _CLOSING:
            closing.append(_CLOSING[c])
        elif c in ")]}":
            if not closing or closing.pop() != c:
                return -1
            if not closing:
                return at + 1
        at += 1
    return -1


def _pairs(
    node: ast.expr, source: list[bytes], prefix: str, depth: int
) -> Iterator[tuple[str, SettingValue]]:
    if isinstance(node, ast.Call) and node.keywords and depth < _DEEPEST:
        for keyword in node.keywords:
            if keyword.arg:
                yield from _item(
                    f"{prefix}{keyword.arg[:_LONGEST_KEY]}", keyword.value, source, depth
                )
    elif isinstance(node, ast.Dict) and depth < _DEEPEST:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str | int):
                yield from _item(f"{prefix}{str(key.value)[:_LONGEST_KEY]}", value, source, depth)


def _item(
    key: str, node: ast.expr, source: list[bytes], depth: int
) -> Iterator[tuple[str, SettingValue]]:
    if isinstance(node, ast.Dict) or (
        isinstance(node, ast.Call) and _CALL.match(ast.unparse(node.func) + "(")
    ):
        yield from _pairs(node, source, f"{key}.", depth + 1)
        return
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        value = _printed(source, node)
    if isinstance(value, list | tuple) and value and all(isinstance(v, int | float) for v in value):
        yield from ((f"{key}.{i}", v) for i, v in enumerate(value[:_MOST_ITEMS]))
    else:
        yield key, _plain(value, str(value)[:200])


def _printed(source: list[bytes], node: ast.expr) -> str:
    """How a value was printed, its first 200 characters.

    `source` is split once for all values of a dump.
    """
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    piece = source[first][node.col_offset : node.end_col_offset if first == last else None]
    if first != last and len(piece) < 200:
        piece += b"\n" + source[first + 1][: node.end_col_offset if first + 1 == last else None]
    return piece[:800].decode(errors="ignore")[:200]


def _flat(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, SettingValue]]:
    """Dotted keys of a JSON value."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, item in value.items():
            yield from _flat(
                item,
                f"{prefix}.{str(key)[:_LONGEST_KEY]}" if prefix else str(key)[:_LONGEST_KEY],
                depth + 1,
            )
    elif isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
        yield from ((f"{prefix}.{i}", v) for i, v in enumerate(value[:_MOST_ITEMS]))
    else:
        yield prefix, _plain(value, str(value)[:200])
