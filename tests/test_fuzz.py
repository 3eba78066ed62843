"""A small seed of ``python -m benchmarks.fuzz``, and bytes that hypothesis thinks of."""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandoctor.errors import GandoctorError

if TYPE_CHECKING:
    from types import ModuleType

fuzzing = pytest.importorskip("benchmarks.fuzz.__main__")
FORMATS = ["event", "wandb", "csv", "text", "jsonl"]


@pytest.mark.parametrize("name", [*FORMATS, "script", "notebook", "cells"])
def test_damaged_files_give_readings_or_plain_refusals(name: str) -> None:
    tally = fuzzing.fuzz(name, 100, seed=1)
    assert not tally.failures, tally.examples
    assert tally.read > 10
    assert tally.read + tally.refused == 100 + len(fuzzing.FORMATS[name][2]())


def test_the_fuzzer_notices_a_reader_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(path: object) -> None:
        raise IndexError(path)

    module: ModuleType = importlib.import_module("gandoctor.parsers.formats.wandb")
    monkeypatch.setattr(module, "read", careless)
    assert fuzzing.fuzz("wandb", 5, seed=1).failures["IndexError"] >= 5


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_at_all(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    module, filename, _ = fuzzing.FORMATS[name]
    parser = importlib.import_module(f"gandoctor.parsers.formats.{module}")
    path = tmp_path_factory.mktemp("any") / filename
    path.write_bytes(data)
    assert 0.0 <= parser.sniff(path, data) <= 1.0
    with contextlib.suppress(GandoctorError):
        parser.read(path)
