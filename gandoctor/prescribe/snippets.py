"""What is to be written into the user's code, in the log's and the config's own names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gandoctor.prescribe.work_out import own, shown

if TYPE_CHECKING:
    from gandoctor.model.signals import Run
    from gandoctor.prescribe.work_out import Plan


def filled(snippet: str, run: Run) -> str:
    """A snippet with the log's own names in place of {d_loss} and other roles or settings."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        signal = next((s for s in run.signals if s.role == name and s.split != "val"), None)
        if signal is not None:
            return _identifier(signal.tag)
        setting = own(name, run.settings)
        return shown(setting.value) if setting is not None else name

    return re.sub(r"\{([a-z][a-z0-9_]*)\}", put, snippet).rstrip()


def _identifier(tag: str) -> str:
    """A tag as a Python name: ``Loss/D`` -> ``Loss_D``."""
    name = re.sub(r"\W+", "_", tag).strip("_")
    return f"_{name}" if name[:1].isdigit() else name or "loss"


def own_value(plan: Plan) -> str:
    """How to give one network a rate of its own where the config has one for both.

    Empty for other settings.
    """
    step = plan.steps[0]
    if step.name[:-2] != "lr":
        return ""
    side = "D" if step.name.endswith("_d") else "G"
    return (
        f"# `{plan.shared}` = {shown(step.setting.value)} is for both: give {side} a rate of its "
        "own\n"
        f'for group in optimizer_{side}.param_groups:\n    group["lr"] = {shown(step.new)}'
    )
