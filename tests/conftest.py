from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from gandoctor import errors
from gandoctor.configs import python
from gandoctor.configs.python.edits import Editor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gandoctor.configs.python import Code

# The same examples on every machine: a merge is not stopped by a find of chance.
# `HYPOTHESIS_PROFILE=explore` looks further, as `benchmarks/fuzz` does.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

errors.STRICT = True  # what a reader did not foresee is an error in a test, and a sentence to users

# As wide on every terminal, and in the processes of xdist, which have a mind of their own.
os.environ["COLUMNS"] = "88"

REPO = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)  # before xdist looks at it
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite runs on two cores, where pytest-xdist is there and nothing else is asked."""
    of_xdist = hasattr(config, "workerinput") or "PYTEST_XDIST_WORKER" in os.environ
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    asked = getattr(config.option, "numprocesses", 0) is not None or config.option.usepdb
    if whole and not asked and not of_xdist:
        config.option.numprocesses = min(2, os.cpu_count() or 1)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is kept between runs is kept here, for this process and those it starts."""
    os.environ["XDG_CACHE_HOME"] = os.environ["LOCALAPPDATA"] = str(
        tmp_path_factory.mktemp("cache")
    )


@pytest.fixture(scope="session")
def sample_logs() -> Path:
    return REPO / "sample_logs"


@pytest.fixture(scope="session")
def story() -> Path:
    return REPO / "tests" / "data" / "story"


@pytest.fixture
def code(tmp_path: Path) -> Callable[[str | Mapping[str, str]], tuple[Code, Editor]]:
    """Read the training in files that are written out here."""

    def made(files: str | Mapping[str, str]) -> tuple[Code, Editor]:
        for name, its in ({"train.py": files} if isinstance(files, str) else files).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(its))
        found, gathered = python.read(tmp_path)
        assert found is not None
        return found, Editor(found, gathered)

    return made
