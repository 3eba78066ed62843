"""What a user may ask for: the command line, ``gandoctor.toml`` and callers share this table.

A wish with a `flag` is an option of the command line, one with a `key` an entry of
``gandoctor.toml``, and one with a `field` an attribute of `api.Options` of that name. A new wish is
one entry here; a command takes it by naming it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal["word", "list", "words", "reasons"]


class FailOn(str, Enum):  # noqa: UP042  the command line shows a plain str enum's values
    """Least severity that makes the exit code 1."""

    high = "high"
    medium = "medium"
    low = "low"
    never = "never"


def families() -> tuple[str, ...]:
    """Loss families that ``loss`` may name."""
    from gandoctor.model.signals import FAMILIES

    return tuple(FAMILIES)


def severities() -> tuple[str, ...]:
    """Severities that a rule may have."""
    from gandoctor.model.rules import SEVERITIES

    return tuple(SEVERITIES)


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a user may ask for.

    Attributes
    ----------
    kind : str
        ``word`` (one text), ``list`` (of texts), ``words`` (name to text) or ``reasons`` (rule to
        the reason why it is ignored).
    flags : tuple of str
        On the command line; empty for none.
    help, metavar : str
        As the command line says it.
    key : str
        In ``gandoctor.toml``; empty for none.
    field : str
        Of `preferences.Preferences` and `api.Options`; empty for none.
    of_run : bool
        Whether a run's own file may say it: what names mean, never what is judged.
    adds : bool
        Whether a nearer word is added to one from further away (a list), or replaces it.
    example : str
        A right entry of ``gandoctor.toml``.
    what : str
        What its words are, as errors say it.
    known : callable
        Gives the words that are allowed; None for any.
    """

    kind: Kind
    flags: tuple[str, ...] = ()
    help: str = ""
    metavar: str | None = None
    key: str = ""
    field: str = ""
    of_run: bool = False
    adds: bool = False
    example: str = ""
    what: str = ""
    known: Callable[[], tuple[str, ...]] | None = None


WISHES: Final[Mapping[str, Wish]] = {
    "map": Wish(
        "words",
        ("--map",),
        "Say what a tag means: d_loss=Loss/critic.",
        "ROLE=TAG",
        key="map",
        field="map",
        of_run=True,
        example='d_loss = "Loss/critic"',
    ),
    "loss": Wish(
        "word",
        ("--loss",),
        "Say which loss family it is: wgan-gp, hinge, lsgan, ...",
        "FAMILY",
        key="loss",
        field="loss",
        of_run=True,
        what="loss family",
        known=families,
    ),
    "ignore": Wish(
        "reasons",
        ("--ignore",),
        "Do not ask this rule; repeatable.",
        "RULE",
        key="ignore",
        field="ignore",
    ),
    "select": Wish(
        "list",
        ("--select",),
        "Ask these rules alone; repeatable.",
        "RULE",
        key="select",
        field="select",
        example='["nan-in-loss"]',
    ),
    "severity": Wish(
        "words",
        key="severity",
        field="severity",
        example='d-wins-late = "medium"',
        what="severity",
        known=severities,
    ),
    "fail-on": Wish(
        "word",
        ("--fail-on",),
        "Exit with 1 at this severity or above (default: high).",
        key="fail-on",
        field="fail_on",
        what="severity",
        known=lambda: tuple(word.value for word in FailOn),
    ),
    "rules": Wish(
        "list",
        ("--rules",),
        "Folder with more rules; repeatable.",
        "DIR",
        key="rules",
        field="rules",
        adds=True,
        example='["my-rules"]',
    ),
    "config": Wish(
        "list",
        ("--config",),
        "Config file to use instead of those beside the log; repeatable.",
        "FILE",
        field="configs",
    ),
    "repo": Wish(
        "word",
        ("--repo",),
        "Source tree: patch the config or code there that the run came from.",
        "DIR",
        field="repo",
    ),
    "data": Wish(
        "word",
        ("--data",),
        "Real data to compare samples with: a folder of pictures, .npy or .npz.",
        "PATH",
        field="data",
    ),
    "output": Wish(
        "list",
        ("--output", "-o"),
        "Write it here; format from the suffix, '-' = stdout; repeatable.",
        "FILE",
    ),
    "format": Wish("word", ("--format",), "Format of an output without a telling suffix.", "NAME"),
}

SAID_IN_FILES: Final = tuple(w for w in WISHES.values() if w.key)
KEYS: Final = tuple(w.key for w in SAID_IN_FILES)
OF_A_RUN: Final = tuple(w.key for w in SAID_IN_FILES if w.of_run)


def joined(far: Any, near: Any) -> dict[str, Any]:
    """Fields of two values, such as preferences and options: the nearer one's word counts.

    Parameters
    ----------
    far, near : object
        Each with attributes named as the `field` of wishes that are said in files; one that both
        lack is left out.

    Returns
    -------
    dict of str to object
        Field to what holds of both: mappings and lists that add are joined, else the nearer word,
        or the further one where the nearer says nothing.
    """
    made: dict[str, Any] = {}
    for wish in SAID_IN_FILES:
        if not (hasattr(far, wish.field) and hasattr(near, wish.field)):
            continue
        one, two = getattr(far, wish.field), getattr(near, wish.field)
        if wish.kind in ("words", "reasons"):
            made[wish.field] = {**one, **two}
        elif wish.adds:
            made[wish.field] = (*one, *two)
        else:
            made[wish.field] = two or one
    return made
