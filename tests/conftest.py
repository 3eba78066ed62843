from __future__ import annotations

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def sample_logs() -> Path:
    return REPO / "sample_logs"


@pytest.fixture(scope="session")
def story() -> Path:
    return REPO / "tests" / "data" / "story"
