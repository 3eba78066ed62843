"""Patterns that are compiled late are those that `re.compile` gives, and every one compiles."""

from __future__ import annotations

import importlib
import pkgutil
import re
from types import ModuleType

import pytest

import gandoctor
from gandoctor.patterns import late_pattern


def test_it_does_what_the_compiled_one_does() -> None:
    late, usual = (
        late_pattern(r"(?P<n>\d+)x", re.IGNORECASE),
        re.compile(r"(?P<n>\d+)x", re.IGNORECASE),
    )
    for _ in range(2):
        assert late.findall("1x 22X 3y") == usual.findall("1x 22X 3y")
        assert late.sub(r"<\g<n>>", "1x 2X") == usual.sub(r"<\g<n>>", "1x 2X")
        found = late.match("7X")
        assert found is not None
        assert found["n"] == "7"
        assert (late.pattern, late.flags, late.groups) == (usual.pattern, usual.flags, usual.groups)


def test_nothing_is_compiled_before_it_is_used() -> None:
    broken = late_pattern("(")
    assert "(" in repr(broken)
    with pytest.raises(re.error):
        broken.match("")


def modules() -> list[ModuleType]:
    names = [m.name for m in pkgutil.walk_packages(gandoctor.__path__, "gandoctor.")]
    return [importlib.import_module(n) for n in names if not n.endswith("__main__")]


def test_every_pattern_of_ours_compiles() -> None:
    held = [v for m in modules() for v in vars(m).values()]
    held += [v for many in held if isinstance(many, tuple | list) for v in many]
    late = {id(v): v for v in held if type(v) is late_pattern}
    assert len(late) > 100
    for pattern in late.values():
        assert isinstance(pattern.pattern, str | bytes)
