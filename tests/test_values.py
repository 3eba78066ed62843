"""Our quick data classes are those of the standard library in all but the time they take."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any, ClassVar

import pytest

from gandoctor import values

KINDS: list[dict[str, Any]] = [
    {"frozen": True, "slots": True},
    {"slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {"slots": True, "eq": False},
]


def classes(make: Any, how: dict[str, Any]) -> list[Any]:
    @make(**how)
    class Whole:
        """Parts of every sort."""

        a: int
        b: str = "x"
        c: list[int] = dataclasses.field(default_factory=list)
        d: float = dataclasses.field(default=0.0, compare=False, repr=False)
        e: dict[str, int] = dataclasses.field(default_factory=dict, init=False)
        K: ClassVar[int] = 3

        @property
        def twice(self) -> int:
            return 2 * self.a

    @make(**how)
    class One:
        """A single part."""

        a: tuple[int, ...]

    @make(**how)
    class Bare:
        """No part."""

    return [Whole, One, Bare]


def outcome(run: Any) -> object:
    try:
        return run()
    except Exception as e:
        return type(e).__name__, str(e)


def told(made: list[Any], how: dict[str, Any]) -> list[object]:
    whole, one, bare = made
    a, b = whole(1, c=[2]), whole(a=1, b="x", c=[2], d=5.0)
    frozen = {"frozen": True, **how}["frozen"] if "frozen" in how else False
    said: list[object] = [
        repr(a), repr(one((1,))), repr(bare()), a == b, a != b, a == 3, a.twice, whole.K, a.e,
        one((1,)) == one((1,)), one((1,)) == one((2,)), bare() == bare(),
        outcome(lambda: setattr(a, "a", 7)), outcome(lambda: delattr(a, "b")), outcome(whole),
        outcome(lambda: whole(1, 2, 3, 4, 5)), outcome(lambda: whole(1, z=2)), outcome(lambda: a.zz),
        outcome(lambda: repr(one([1]))), dataclasses.asdict(whole(4)), [f.name for f in dataclasses.fields(whole)],
        repr(dataclasses.replace(b, a=9)), repr(copy.copy(b)), repr(copy.deepcopy(b)), copy.copy(b) == b,
        whole.__match_args__, whole.__doc__, whole.__slots__, dataclasses.is_dataclass(whole),
        list(inspect.signature(whole).parameters), whole.__hash__ is None, hasattr(a, "__dict__"),
    ]  # fmt: skip
    if frozen and how.get("eq", True):
        said += [
            hash(one((1,))) == hash(one((1,))),
            {one((1,)): 1}[one((1,))],
            outcome(lambda: hash(a)),
        ]
    return said


@pytest.mark.parametrize("how", KINDS, ids=str)
def test_as_the_standard_library_makes_them(how: dict[str, Any]) -> None:
    ours, theirs = (told(classes(d, how), how) for d in (values.dataclass, dataclasses.dataclass))
    assert ours == theirs


@values.dataclass(frozen=True, slots=True)
class Kept:
    """What a file keeps."""

    a: int
    b: tuple[int, ...] = ()


def test_a_value_survives_pickling() -> None:
    kept = Kept(1, (2, 3))
    assert pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301


def test_methods_of_a_class_itself_stay() -> None:
    @values.dataclass(frozen=True, slots=True)
    class Own:
        """Says itself what is equal."""

        a: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own) and self.a % 2 == other.a % 2

        def __hash__(self) -> int:
            return self.a % 2

        def __repr__(self) -> str:
            return "own"

    assert Own(1) == Own(3)
    assert {Own(1), Own(3)} == {Own(5)}
    assert repr(Own(1)) == "own"


def test_a_value_may_look_at_itself_when_it_is_made() -> None:
    @values.dataclass(frozen=True, slots=True)
    class Checked:
        """Refuses what is negative."""

        a: int

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    assert Checked(1).a == 1
    with pytest.raises(ValueError, match="negative"):
        Checked(-1)


def test_what_it_does_not_know_it_leaves_to_the_standard_library() -> None:
    @values.dataclass(frozen=True, order=True)
    class Ordered:
        """Has an order."""

        a: int

    assert Ordered(1) < Ordered(2)
    assert not hasattr(Ordered, "_compared")
