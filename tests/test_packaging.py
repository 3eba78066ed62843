"""What is installed, and the two commands of the README."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonical(name): version for name, version in found}


def declared() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"default": project["dependencies"], **project["optional-dependencies"]}
    return {
        group: [canonical(m[1]) for text in texts if (m := NAME.match(text))]
        for group, texts in groups.items()
    }


def needed(name: str, seen: set[str]) -> set[str]:
    """The package and all that it brings, as far as they are installed here."""
    if name in seen:
        return seen
    try:
        requires = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return seen
    seen.add(name)
    for text in requires:
        if "extra ==" not in text and (m := NAME.match(text)):
            needed(canonical(m[1]), seen)
    return seen


def test_everything_that_tests_install_is_pinned() -> None:
    wanted = {name for names in declared().values() for name in names}
    brought: set[str] = set()
    for name in sorted(wanted):
        needed(name, brought)
    assert sorted((wanted | brought) - set(pins())) == []


def test_every_dependency_has_its_reason() -> None:
    reasons = (ROOT / "CONTRIBUTING.md").read_text().lower()
    named = [name for names in declared().values() for name in names]
    told = [
        n
        for n in named
        if n in reasons or n.removesuffix("-stubs").removeprefix("types-") in reasons
    ]
    assert sorted(set(named) - set(told)) == []


def test_ci_runs_the_readmes_commands_as_printed() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = [line for line in readme.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert "analyze sample_logs/" in commands[0]
    assert commands[1].endswith("-m pytest")
    script = (ROOT / ".ci" / "run").read_text()
    assert "grep '^python3 -m venv' README.md" in script
    assert '"${commands[0]}"' in script
    assert '"${commands[1]}"' in script
