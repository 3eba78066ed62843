"""What a probe is given: the players as an entry builds them, and what the user wishes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandoctor.errors import UsageError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True, eq=False)
class Probe:
    """The players of a training; an entry's ``build`` returns one. Whatever is missing degrades.

    Attributes
    ----------
    generator : callable
        G: ``generator(z)``, or ``generator(z, condition)`` where there is a condition.
    discriminator : callable
        D: ``discriminator(x)`` gives scores, of any shape with the batch first; None: what the
        samples tell is measured alone.
    real : tensor, ndarray, callable or iterable
        Real examples as D sees them, batch first; or ``n -> examples``; or batches, as a
        ``DataLoader`` gives them (of a tuple the first part). None: what G tells of itself.
    latent : int, tuple of int, or callable
        Size or shape of the noise of one sample; or ``n -> noise``. None: G takes the condition
        alone.
    loss : str or (callable, callable)
        A family (``nonsaturating``, ``minimax``, ``lsgan``, ``hinge``, ``wgan``, ``wgan-gp``), or
        ``d_loss(real_scores, fake_scores)`` and ``g_loss(fake_scores)``.
    optimizers : (optimizer of G, optimizer of D)
        Their rates are used where D is trained anew; None: the rates of the settings.
    held_out : as `real`
        Real examples that D was not trained with.
    condition : as `real`
        What G and D are also given (labels, an input image), row by row that of `real`.
    """

    generator: Any = None
    discriminator: Any = None
    real: Any = None
    latent: Any = None
    loss: str | tuple[Callable[..., Any], Callable[..., Any]] = ""
    optimizers: Any = None
    held_out: Any = None
    condition: Any = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks of a probe.

    Attributes
    ----------
    entry : str
        ``file.py:build`` or ``module:build``; empty: ``gandoctor_probe.py`` of the project.
    script : Path or None
        A training script whose classes and functions are used, its body not run.
    checkpoint : Path or None
        The file of weights; None: the latest below the run.
    data : Path or None
        Pictures, or an array, of real data.
    budget : float
        Seconds.
    device : str
        ``auto``, or a device as torch names it.
    seed : int
    batch : int
        Examples at once, at most.
    samples : int
        Samples to compare.
    trusting : bool
        Whether a checkpoint may name things other than numbers.
    """

    entry: str = ""
    script: Path | None = None
    checkpoint: Path | None = None
    data: Path | None = None
    budget: float = 60.0
    device: str = "auto"
    seed: int = 0
    batch: int = 64
    samples: int = 512
    trusting: bool = False


def seconds(text: str) -> float:
    """``60``, ``60s``, ``5m``, ``1.5h`` in seconds.

    Raises
    ------
    UsageError
        It is no length of time.
    """
    word = text.strip().lower()
    factor = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(word[-1:], 0.0)
    try:
        found = float(word[:-1]) * factor if factor else float(word)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise UsageError(f"{text!r} is no length of time", "--budget", "write 60s, 5m or 1h")
    return found
