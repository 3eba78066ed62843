"""Settings as people write them down: YAML, JSON, a Namespace, a script, printed options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path


def as_yaml(settings: dict[str, Any], path: Path) -> None:
    """Dotted keys nested."""
    path.write_text(yaml.safe_dump(nested(settings), sort_keys=False), "utf-8")


def as_json(settings: dict[str, Any], path: Path) -> None:
    """Dotted keys nested."""
    path.write_text(json.dumps(nested(settings), indent=2) + "\n", "utf-8")


def nested(settings: dict[str, Any]) -> dict[str, Any]:
    """``a.b`` as ``{a: {b: ...}}``; ``betas.0`` and ``betas.1`` as a list."""
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *above, last = key.split(".")
        place = tree
        if last.isdigit():
            *above, name = above
            for part in above:
                place = place.setdefault(part, {})
            place.setdefault(name, []).insert(int(last), value)
            continue
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return tree


def namespace(settings: dict[str, Any]) -> str:
    """As ``print(opt)`` shows parsed arguments."""
    return f"Namespace({', '.join(f'{k}={v!r}' for k, v in settings.items())})"


def script(settings: dict[str, Any], path: Path) -> None:
    """The head of the training script, with the values as defaults."""
    lines = ["import argparse", "", "parser = argparse.ArgumentParser()"]
    for key, value in settings.items():
        kind = "" if isinstance(value, bool) else f", type={type(value).__name__}"
        lines.append(f'parser.add_argument("--{key}"{kind}, default={value!r})')
    lines += ["opt = parser.parse_args()", "print(opt)", ""]
    path.write_text("\n".join(lines), "utf-8")


def options(settings: dict[str, Any], path: Path) -> None:
    """As CycleGAN keeps its options."""
    lines = ["----------------- Options ---------------"]
    lines += [f"{k:>25}: {v!s:<30}" for k, v in sorted(settings.items())]
    lines.append("----------------- End -------------------")
    path.write_text("\n".join(lines) + "\n", "utf-8")
