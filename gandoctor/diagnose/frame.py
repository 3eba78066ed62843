"""The run as the language sees it.

One signal a role, settings as numbers and words, the levels of the game.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor.lang.evaluate import Frame, Series
from gandoctor.lexicon.reading import roles_of
from gandoctor.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.model.signals import Run, Signal


def networks(run: Run) -> list[str]:
    """Names of the networks that have a discriminator of their own.

    [""] where there is one or nothing tells.
    """
    named = sorted(
        {s.network for s in run.signals if s.role and s.role.startswith("d_") and s.network}
    )
    if not named:
        return [""]
    shared = any(s.role and s.role.startswith("d_") and not s.network for s in run.signals)
    return ["", *named] if shared else named


def frame_of(run: Run, network: str) -> Frame:
    """The names a rule may use, for one network.

    What it lacks falls back to the signals shared by all networks.

    Parameters
    ----------
    run : Run
    network : str

    Returns
    -------
    Frame
        Series by role; those of the validation split under ``val_<role>`` beside it.
    """
    series: dict[str, Series] = {}
    chosen = pick(run, network)
    first, last = _span(chosen, run)
    first = max(first, min(last, int(run.facts.get("d_joins", first))))
    roles = roles_of(run)
    for name, signal in chosen.items():
        role = roles.get(name.removeprefix("val_"), Role(name))
        series[name] = Series(
            signal.steps, signal.values, higher_is_better=role.better == "higher", rare=role.rare
        )
    numbers: dict[str, float | str | None] = {k: float(v) for k, v in run.facts.items()}
    words: dict[str, str] = {}
    for name, setting in run.settings.items():
        value = setting.value
        if isinstance(value, bool):
            words[name] = "true" if value else "false"
            numbers[name] = float(value)
        elif isinstance(value, int | float):
            numbers[name] = float(value)
        elif isinstance(value, str):
            words[name] = numbers[name] = (
                value  # a number written as text is one a rule may ask about
            )
    objective = run.objective
    several = objective.summed.get(network, 1)
    for name, level in (
        ("chance_d", objective.chance_d),
        ("chance_g", objective.chance_g),
        ("floor_d", objective.floor_d),
    ):
        numbers[name] = None if level is None else level * several
    numbers["n_steps"] = float(last - first)
    return Frame(
        series=series,
        numbers=numbers,
        words=words,
        flags={},
        first_step=first,
        last_step=last,
        step_unit=run.step_unit,
    )


def pick(run: Run, network: str) -> dict[str, Signal]:
    """One signal a role.

    Of this network before a shared one, training before validation, derived before logged (it is
    only derived where it says more), the better candidate, the longer before the shorter.
    """

    def rank(s: Signal) -> tuple[bool, bool, bool, int, int]:
        held_out = s.split == "val" and (s.role or "").startswith(("d_", "g_"))
        return (s.network == network, not held_out, not s.source, -s.rank, len(s))

    chosen: dict[str, Signal] = {}
    for signal in run.signals:
        role = signal.role
        if role is None or not len(signal) or (signal.network and signal.network != network):
            continue
        for name in (role, f"val_{role}") if signal.split == "val" else (role,):
            if name not in chosen or rank(signal) > rank(chosen[name]):
                chosen[name] = signal
    if "g_loss" not in chosen and "g_loss_adv" in chosen:
        chosen["g_loss"] = chosen["g_loss_adv"]  # all that was logged of G's loss
    return chosen


def _span(chosen: Mapping[str, Signal], run: Run) -> tuple[int, int]:
    """First and last step of the game itself.

    Warm-ups without a D and a longer evaluation are no part of it.
    """
    roles = roles_of(run)
    played = [s for name, s in chosen.items() if name in roles and roles[name].is_of_game]
    if not played:
        return run.first_step, run.last_step
    return min(int(s.steps[0]) for s in played), max(int(s.steps[-1]) for s in played)
