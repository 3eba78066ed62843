"""The coverage page names all there is and nothing else, with a name or a reason on every line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gandoctor import rulebook

PAGE = Path(__file__).parents[1] / "docs/coverage.md"
TEXT = PAGE.read_text(encoding="utf-8")
LINK = re.compile(r"\[([^\]]+)\]\(rules/(\w+)/([^)]+)\.md\)")
BOOK = rulebook.load([rulebook.default_folder()])
ROOMS = {r.id: "symptoms" if r.kind == "symptom" else "risks" for r in BOOK.rules}
ROOMS |= {c.id: "causes" for c in BOOK.causes} | {r.id: "remedies" for r in BOOK.remedies}
ROOMS |= {m.id: "measures" for m in BOOK.measures}
ROWS = [line for line in TEXT.splitlines() if line.startswith("|") and not line.startswith("|--")]
HEADS = [
    line
    for before, line in zip(TEXT.splitlines(), TEXT.splitlines()[1:], strict=False)
    if before[:2] == "##"
]


def test_every_name_exists_and_leads_to_its_page() -> None:
    links = LINK.findall(TEXT)
    assert len(links) > 100
    for shown, room, id_ in links:
        assert shown == id_
        assert ROOMS.get(id_) == room, f"{id_} is no name in {room}"
        assert (PAGE.parent / f"rules/{room}/{id_}.md").is_file()


def test_every_rule_risk_and_cause_is_named() -> None:
    named = {id_ for _, _, id_ in LINK.findall(TEXT)}
    assert {i for i, room in ROOMS.items() if room not in ("remedies", "measures")} <= named


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r not in HEADS], ids=lambda r: r.split("|")[1].strip()[:40]
)
def test_every_line_has_a_name_or_a_reason(row: str) -> None:
    _, item, answer, _ = (cell.strip() for cell in row.split("|"))
    assert item
    reason = re.match(r"not\b[^:]*: .{30,}", answer)
    assert LINK.search(answer) or reason, row
