"""What D and G play for, on scores: families by name, or the user's own functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import UsageError
from gandoctor.probe.backend import torch
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

LOGISTIC: Final = ("nonsaturating", "minimax", "relativistic")
USUAL: Final = "nonsaturating"


@dataclass(frozen=True, slots=True)
class Game:
    """The losses.

    Attributes
    ----------
    family : str
        Empty where the user gave functions of their own.
    of_d : callable
        (scores of reals, scores of fakes) -> D's loss.
    of_g : callable
        Scores of fakes -> G's loss.
    """

    family: str
    of_d: Callable[[Any, Any], Any]
    of_g: Callable[[Any], Any]

    @property
    def logistic(self) -> bool:
        """Whether a score is the logit of "real"."""
        return self.family in LOGISTIC


def game_of(loss: object, family: str) -> Game:
    """The game that an entry names, else that of the run's family, else the usual one.

    Raises
    ------
    UsageError
        It names none.
    """
    if isinstance(loss, tuple | list) and len(loss) == 2 and all(map(callable, loss)):
        return Game("", loss[0], loss[1])
    if loss and not isinstance(loss, str):
        raise UsageError(
            "Probe(loss=) is neither a name nor two functions", "", "give (d_loss, g_loss)"
        )
    name = str(loss or family).lower().replace("_", "-")
    if name in ("unknown", "other", ""):
        name = USUAL
    games = _games()
    if name not in games:
        raise UsageError(
            f"unknown loss family {name!r}", "Probe(loss=)", f"one of {', '.join(games)}"
        )
    return Game(name, *games[name])


def _games() -> dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]]:
    soft = torch().nn.functional.softplus
    relu = torch().nn.functional.relu
    logistic = lambda r, f: soft(-r).mean() + soft(f).mean()  # noqa: E731
    critic = (lambda r, f: f.mean() - r.mean()), (lambda f: -f.mean())
    return {
        "nonsaturating": (logistic, lambda f: soft(-f).mean()),
        "minimax": (logistic, lambda f: -soft(f).mean()),
        "relativistic": (logistic, lambda f: soft(-f).mean()),
        "lsgan": (
            lambda r, f: (r - 1).square().mean() + f.square().mean(),
            lambda f: (f - 1).square().mean(),
        ),
        "hinge": (lambda r, f: relu(1 - r).mean() + relu(1 + f).mean(), lambda f: -f.mean()),
        "wgan": critic,
        "wgan-gp": critic,
    }


def score_of(answer: Any) -> Any:
    """One number an example of whatever D gives: its first part, of each scale the last map.

    Parameters
    ----------
    answer : tensor, or list, tuple or dict of such
        Batch first.

    Returns
    -------
    tensor, shape (n,)
    """
    if hasattr(answer, "flatten"):
        # `mean` of patches: what a patch discriminator's loss takes, too.
        return answer.float().flatten(1).mean(1) if answer.dim() > 1 else answer.float()
    if isinstance(answer, dict):
        answer = tuple(answer.values())
    if isinstance(answer, list) and len(answer) > 1:  # of several scales, each its own maps
        parts = [score_of(a[-1] if isinstance(a, list | tuple) else a) for a in answer]
        return torch().stack(parts).mean(0)
    if isinstance(answer, list | tuple) and answer:
        return score_of(answer[0])
    raise UsageError(f"D gives a {type(answer).__name__}", "Probe(discriminator=)", "give scores")
