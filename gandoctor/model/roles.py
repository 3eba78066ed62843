"""What a signal can mean, and everything that follows from it: a role knows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Better = Literal["", "lower", "higher"]
Judges = Literal["", "metric", "samples", "loss"]
About = Literal["", "D's loss", "G's loss", "D's answers", "samples"]

BETTER: Final[tuple[Better, ...]] = ("lower", "higher")
# Who judges quality, the most trusted first.
JUDGES: Final[tuple[Judges, ...]] = ("metric", "samples", "loss")
ABOUT: Final[tuple[About, ...]] = ("D's loss", "G's loss", "D's answers", "samples")
# Of a judge whose margin is not set.
MARGIN: Final = (0.1, 0.0)
ANY: Final = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True)
class Role:
    """What a signal can mean: an entry of ``roles`` in ``rules/vocabulary/signals.yaml``.

    Attributes
    ----------
    name, doc : str
    title : str
        What tables call it; its name where no title is set.
    better : str
        ``lower`` or ``higher``; empty where neither is, as for the losses of a game.
    judges : str
        ``metric``, ``samples`` (measured beside real data) or ``loss`` where it judges quality;
        empty where it does not.
    margin : (float, float)
        A share of the larger value, and a size: of a judge, a difference between two runs that
        exceeds neither is none for one run each.
    possible : (float, float)
        What lies outside is no value of it: a slip of the log, or another quantity.
    vouches : bool
        Whether it alone tells how good samples are, whatever the losses.
    about : str
        ``D's loss``, ``G's loss``, ``D's answers`` or ``samples``; empty for anything else.
    rare : bool
        Whether it is looked at now and then, so that a few points are enough.
    several : bool
        Whether many signals of one log have it by nature, and none goes before another.
    shown : bool
        Whether every report and comparison carries its curve.
    picture : str
        Title of the picture in a report's overview on which its curve is drawn; empty for none.
    log_it : str
        One line of code that logs it.
    derived : bool
        Whether it can be worked out from other signals.
    """

    name: str
    doc: str = ""
    title: str = ""
    better: Better = ""
    judges: Judges = ""
    margin: tuple[float, float] = MARGIN
    possible: tuple[float, float] = ANY
    vouches: bool = False
    about: About = ""
    rare: bool = False
    several: bool = False
    shown: bool = False
    picture: str = ""
    log_it: str = ""
    derived: bool = False

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1."""
        return 1 if self.better == "higher" else -1

    @property
    def is_of_game(self) -> bool:
        """Whether it is a loss of D or of G: its steps are the steps of the game."""
        return self.about in ("D's loss", "G's loss")

    @property
    def split_matters(self) -> bool:
        """Whether its value on held-out data means something else.

        A FID or a sample's variance is the same under any split.
        """
        return self.name.startswith(("d_", "g_"))


def by_trust(roles: Iterable[Role], *judges: Judges) -> Iterator[Role]:
    """The roles of some kinds of judges: kind after kind, and of a kind in the order given."""
    listed = tuple(roles)
    return (role for kind in judges for role in listed if role.judges == kind)
