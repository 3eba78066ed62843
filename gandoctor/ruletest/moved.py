"""Thresholds that are moved, to see whether a case notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gandoctor.lang.syntax import scaled
from gandoctor.lang.tree import Node
from gandoctor.model.rules import Clause, Rule

MOVED_BY: Final = 0.25


def noticed(rule: Rule, caught: Callable[[Rule], bool]) -> Iterator[tuple[str, bool]]:
    """Every threshold of a rule moved down and up: what was moved, and whether a case noticed.

    Parameters
    ----------
    rule : Rule
    caught : callable
        Whether any case of the rule complains of a changed one.
    """
    for i, clause in enumerate(rule.clauses):
        if clause.where is None or clause.shared:  # shared evidence has a test of its own
            continue
        for at, number, text in thresholds(clause.where.tree):
            for factor in (1 - MOVED_BY, 1 + MOVED_BY):
                changed = replace(
                    rule,
                    clauses=(*rule.clauses[:i], moved(clause, at, factor), *rule.clauses[i + 1 :]),
                )
                yield (
                    f"{rule.id}: {clause.name}: {text}: {number:g} -> {number * factor:g}",
                    caught(changed),
                )


def moved(clause: Clause, at: int, factor: float) -> Clause:
    """A clause, one of its test's numbers multiplied."""
    assert clause.where is not None  # noqa: S101 - it has a threshold
    return replace(clause, where=replace(clause.where, tree=scaled(clause.where.tree, at, factor)))


def thresholds(tree: Node) -> list[tuple[int, float, str]]:
    """Numbers that a comparison compares with.

    (which of the tree's numbers, its value, the comparison's text).

    ``x < 0.1`` has 0.1, ``a > 5 * b`` has 5; a zero cannot be moved by per cent, and a function's
    own arguments are no thresholds.
    """
    found: list[tuple[int, float, str]] = []
    count = 0

    def visit(node: Node) -> None:
        nonlocal count
        if node.op in ("<", "<=", ">", ">=", "==", "!="):
            start = count
            left = _numbers_in(node.args[0])
            spots = _moving(node.args[1], start + left)
            spots = spots or _moving(node.args[0], start)
            found.extend((at, value, node.text) for at, value in spots[:1])
        if node.op == "const":
            count += 1
        for arg in node.args:
            visit(arg)

    visit(tree)
    return found


def _numbers_in(node: Node) -> int:
    return sum(n.op == "const" for n in node.walk())


def _moving(node: Node, start: int) -> list[tuple[int, float]]:
    """Numbers of one side of a comparison that scale it or stand in it as they are."""
    if node.op == "const":
        return [(start, node.value)] if node.value else []
    if node.op not in ("neg", "+", "-", "*", "/"):
        return []
    found: list[tuple[int, float]] = []
    for arg in node.args:
        found += _moving(arg, start)
        start += _numbers_in(arg)
    return found
