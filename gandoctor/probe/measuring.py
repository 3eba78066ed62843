"""The measuring itself: build the players, take figure after figure for as long as there is time.

Whatever was measured stays, however it ends.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import GandoctorError, UsageError
from gandoctor.probe import (
    answers,
    backend,
    data,
    entry,
    figures,
    judging,
    players,
    slopes,
    weights,
)
from gandoctor.probe.batches import Batches
from gandoctor.probe.clock import OutOfTime
from gandoctor.probe.losses import game_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.model.probing import ProbeFigure, ProbeLayer
    from gandoctor.model.signals import Run
    from gandoctor.probe.asked import Probe, Wishes
    from gandoctor.probe.clock import Clock
    from gandoctor.probe.players import Players

    Told = Callable[[str, float], None]

# Symptoms of the log for which D is trained anew, to see whether D was the problem.
OF_D: Final = frozenset({"weak-discriminator", "no-convergence", "generator-divergence"})


@dataclass(slots=True, eq=False)
class Session:
    """What is known while a probe runs.

    Attributes
    ----------
    path : Path
        The run.
    run : Run
    wishes : Wishes
    clock : Clock
    told : callable
        Called with the name of each part, and the share that is done.
    suspected : frozenset of str
        Symptoms that the log shows.
    figures, layers, notes : list
    looks : list of list of ProbeFigure
        What parts of the samples say, for the rules.
    complete : bool
    device, checkpoint : str
    samples : int
    """

    path: Path
    run: Run
    wishes: Wishes
    clock: Clock
    told: Told
    suspected: frozenset[str] = frozenset()
    figures: list[ProbeFigure] = field(default_factory=list)
    looks: list[list[ProbeFigure]] = field(default_factory=list)
    layers: list[ProbeLayer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = True
    device: str = "none"
    checkpoint: str = "none"
    samples: int = 0

    def seen(self) -> dict[str, float]:
        """Figures by name."""
        return {f.name: f.value for f in self.figures if f.value is not None}

    def part(self, what: str, share: float, work: Callable[[], None]) -> None:
        """One part of the measuring; a fault of it ends that part alone."""
        self.told(what, share)
        try:
            work()
        except GandoctorError as e:
            self.notes.append(f"{what}: {e}")
        except Exception as e:
            said = str(e).partition("\n")[0][:200]
            self.notes.append(f"{what}: not measured ({type(e).__name__}: {said})")


def measure(session: Session) -> None:
    """Build and measure until all is done, the time is spent, or somebody interrupts.

    Raises
    ------
    GandoctorError
        Nothing can be built.
    """
    try:
        with session.clock, backend.repeatable(session.wishes.seed):
            built, place = _built(session)
            _taken(session, built, place)
    except OutOfTime:
        session.complete = False
        budget = session.wishes.budget
        session.notes.append(f"the time ({budget:g} s) ran out; what was measured stands")
    except KeyboardInterrupt:
        session.complete = False
        spent = session.clock.spent()
        session.notes.append(f"interrupted after {spent:.0f} s; what was measured stands")


def _built(session: Session) -> tuple[Probe, backend.Place]:
    run, wishes = session.run, session.wishes
    place = backend.place(wishes.device, run.settings.get("amp"))
    session.device = place.told
    checkpoint = weights.found(session.path, wishes.checkpoint, trusting=wishes.trusting)
    session.checkpoint = checkpoint.name if checkpoint else "none"
    settings = settings_of(run)
    session.told("building the players", 0.0)
    known: dict[str, Any] = {
        "checkpoint": checkpoint or weights.Checkpoint(()),
        "settings": settings,
        "device": place.name,
        "data": data.Data(wishes.data, wishes.samples, wishes.seed),
        "run": session.path,
        "seed": wishes.seed,
    }
    built = _by_file(session, known) or entry.call(_entry(session), known, settings)
    if built.real is None:
        file = wishes.data if wishes.data and wishes.data.is_file() else data.beside(session.path)
        built.real = file
    return built, place


def _by_file(session: Session, known: dict[str, Any]) -> Probe | None:
    """The players of a script that was named, or of a named checkpoint with a graph in it."""
    wishes = session.wishes
    given = known["settings"], known["checkpoint"], known["data"]
    if wishes.script is not None:
        from gandoctor.probe import script

        return script.probe_of(wishes.script, *given)
    if wishes.checkpoint is not None and wishes.checkpoint.is_file() and not wishes.entry:
        from gandoctor.probe import script

        return script.probe_without_code(*given)
    return None


def _entry(session: Session) -> Callable[..., Any]:
    if session.wishes.entry:
        return entry.load(session.wishes.entry)
    usual = entry.usual(session.path, Path.cwd())
    if usual is None:
        raise UsageError(
            "nothing says how the players are built",
            str(session.path),
            f"write {entry.USUAL_FILE} beside the run, or give --entry FILE.py:build or "
            "--script train.py",
        )
    return entry.load(f"{usual}:{entry.USUAL_NAME}")


def settings_of(run: Run) -> entry.Settings:
    """The run's settings: by the user's own keys, by their last parts, by canonical names."""
    found = entry.Settings()
    last: dict[str, list[Any]] = {}
    for s in run.raw_settings:
        found[s.key] = s.value
        last.setdefault(s.key.rpartition(".")[2], []).append(s.value)
    found.update({k: v[0] for k, v in last.items() if len(v) == 1 and k not in found})
    found.update({name: s.value for name, s in run.settings.items()})
    return found


def _taken(session: Session, built: Probe, place: backend.Place) -> None:
    game = game_of(built.loss, session.run.objective.family)
    wishes = session.wishes
    session.told("the players take their places", 0.05)
    ready = players.prepared(built, game, place, wishes.samples, wishes.seed)
    batches = Batches(wishes.batch, place, session.clock)
    batches.notes = session.notes  # what was halved is told however the measuring ends
    made: list[Any] = []
    session.part("samples", 0.1, lambda: made.append(figures.generated(ready, batches)))
    if not made:
        return
    session.samples = len(made[0])
    _of_samples(session, ready, batches, made[0])
    if ready.discriminator is None:
        session.notes.append("there is no D: what the samples tell was measured alone")
        return

    def kind() -> None:
        ready.probabilities = players.gives_probabilities(ready, batches)

    session.part("D's answers", 0.45, kind)
    _of_d(session, ready, batches, made[0], built)


def _of_samples(session: Session, ready: Players, batches: Batches, made: Any) -> None:

    def beside() -> None:
        session.figures.extend(figures.of_samples(made, ready.reference))
        if ready.reference is not None:
            session.looks.extend(figures.looks(made, ready.reference))

    session.part("samples and data", 0.25, beside)
    if ready.reference is None:
        session.notes.append("there is no real data: only what samples tell of themselves")

    def heeds() -> None:
        found = figures.sensitivity(ready, batches, made, ready.reference)
        if found is not None:
            session.figures.append(found)

    session.part("sensitivity to the noise", 0.4, heeds)


def _of_d(session: Session, ready: Players, batches: Batches, made: Any, built: Probe) -> None:
    session.part(
        "D's answers", 0.5,
        lambda: session.figures.extend(answers.of_scores(ready, batches, made)),
    )  # fmt: skip

    def pulled() -> None:
        found, layers = slopes.of_gradients(ready, batches)
        session.figures.extend(found)
        session.layers.extend(layers)

    session.part("gradients", 0.6, pulled)
    seen = session.seen()
    if "told_apart" not in seen or not hasattr(ready.discriminator, "named_modules"):
        return
    blind = judging.bad(seen) and seen["told_apart"] < judging.SURE
    if blind or session.suspected & OF_D:
        rate = _rate(built, session.run)
        session.part(
            "a D from scratch", 0.7,
            lambda: session.figures.extend(
                answers.restarted(ready, batches, made, rate, seen["told_apart"])
            ),
        )  # fmt: skip


def _rate(built: Probe, run: Run) -> float:
    """D's learning rate: of its optimiser, else as the settings say; 0 where nothing does."""
    given = built.optimizers
    if given is not None:
        own = given[-1] if isinstance(given, list | tuple) else given
        groups = getattr(own, "param_groups", None)
        if groups:
            return float(groups[0].get("lr", 0.0))
    for name in ("lr_d", "lr"):
        value = run.settings[name].value if name in run.settings else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return 0.0
