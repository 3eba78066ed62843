from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from gandoctor import errors

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
