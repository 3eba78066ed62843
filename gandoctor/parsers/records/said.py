"""Settings in a text that people log beside their scalars."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from gandoctor.configs.entries import Entries


_FENCE: Final = late_pattern(r"^\s*```\w*\s*$|</?(?:pre|code)>", re.MULTILINE)

_TABLE_ROW: Final = late_pattern(r"\s*\|([^|\n]+)\|([^|\n]*)\|\s*")


def config_in(text: str) -> Entries:
    """Settings of a text that people log.

    YAML, JSON, a Markdown table of two columns, ``Namespace(...)``.
    """
    from gandoctor.configs.entries import MAX_SETTINGS, Entries, flatten, word
    from gandoctor.configs.formats import json, options, yaml

    text = _FENCE.sub("", text).strip()
    table = [row for row in (_TABLE_ROW.fullmatch(line) for line in text.splitlines()) if row]
    if len(table) > 2 and set(table[1][1]) <= set("-: "):
        entries = Entries()
        for row in table[2:MAX_SETTINGS]:
            flatten(entries, (row[1].strip(" `*"),), word(row[2].strip(" `*")), 0)
        return entries
    if text.startswith("{"):
        entries = json.scan(text)
        if entries.found and not entries.lost:
            return entries
        return yaml.scan(text)
    if "Namespace(" in text:
        return options.scan(text)
    entries = yaml.scan(text)
    if entries.lost or not all(path for path in entries.found):
        entries = options.scan(text)
    return entries
