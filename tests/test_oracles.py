"""What we work out ourselves for speed, against the libraries made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist

from benchmarks.speed import files, worker
from gandoctor.lang.functions import FUNCTIONS, Points
from gandoctor.lang.middle import distinct, quantile
from gandoctor.model.measured import Share
from gandoctor.parsers.formats import tensorboard
from gandoctor.samples.fidelity import distances

if TYPE_CHECKING:
    from pathlib import Path


def ask(name: str, *series: np.ndarray) -> float:
    steps = np.arange(series[0].size, dtype=np.int64) * 10
    call = FUNCTIONS[name].call
    assert call is not None
    return float(call(*(Points(steps, s) for s in series)))


@pytest.fixture(params=range(8))
def walk(request: pytest.FixtureRequest) -> np.ndarray:
    """A random walk without ties, shorter than the number of stretches that are taken together."""
    rng = np.random.default_rng(request.param)
    return rng.normal(size=rng.integers(12, 290)).cumsum()


def test_trend_is_kendalls_tau(walk: np.ndarray) -> None:
    assert ask("trend", walk) == pytest.approx(
        stats.kendalltau(np.arange(walk.size), walk).statistic
    )


def test_slope_is_theil_and_sens(walk: np.ndarray) -> None:
    assert ask("slope", walk) == pytest.approx(
        stats.theilslopes(walk, np.arange(walk.size) * 10.0).slope
    )


def test_correlation_is_spearmans(walk: np.ndarray) -> None:
    other = np.round(walk + np.random.default_rng(0).normal(size=walk.size), 1)  # with ties
    assert ask("correlation", walk, other) == pytest.approx(stats.spearmanr(walk, other).statistic)


def test_iqr(walk: np.ndarray) -> None:
    assert ask("iqr", walk) == pytest.approx(stats.iqr(walk))


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (3, 7), (44, 65), (2, 64), (1, 1000)])
def test_intervals_are_wilsons(k: int, n: int) -> None:
    theirs = stats.binomtest(k, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert Share(k, n).interval == pytest.approx((theirs.low, theirs.high), abs=1e-4)


def test_distances() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 9)), rng.normal(size=(30, 9))
    assert distances(a, b) == pytest.approx(cdist(a, b))


def test_hparams_as_tbparse_reads_them(tmp_path: Path) -> None:
    from tbparse import SummaryReader
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_hparams({"lr": 0.25, "batch": 64, "norm": "spectral"}, {"fid": 3.0}, name="h")
    (path,) = (tmp_path / "h").iterdir()
    theirs = SummaryReader(str(path)).hparams
    ours = {s.key: s.value for s in tensorboard.read(path).settings}
    assert ours == dict(zip(theirs["tag"], theirs["value"], strict=True))


@given(st.lists(st.integers(-5, 5), max_size=30), st.booleans())
def test_distinct_values_are_those_of_numpy(values: list[int], as_float: bool) -> None:
    rows = np.array(values, dtype=np.float64 if as_float else np.int64)
    found = distinct(rows)
    assert found.dtype == rows.dtype
    np.testing.assert_array_equal(found, np.unique(rows))


NUMBERS = st.floats(width=64) | st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan, 1e300])


@given(
    st.lists(NUMBERS, min_size=1, max_size=40), st.lists(st.floats(0, 1), min_size=1, max_size=4)
)
@np.errstate(all="ignore")
def test_quantiles_are_those_of_numpy_bit_for_bit(values: list[float], shares: list[float]) -> None:
    rows = np.array(values)
    theirs = np.quantile(rows, shares)
    ours = quantile(rows, shares)
    # But for the sign of a zero, and what lies between infinities, where numpy's releases differ.
    assert (ours + 0.0).tobytes() == (theirs + 0.0).tobytes() or (
        not np.isfinite(rows).all() and np.array_equal(ours, theirs, equal_nan=True)
    )
    one = quantile(rows, shares[0])
    assert isinstance(one, float)
    assert np.array_equal(one, theirs[0], equal_nan=True)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.floats(0, 1))
def test_quantiles_of_whole_numbers(values: list[int], share: float) -> None:
    assert quantile(np.array(values), share) == np.quantile(values, share)


def test_the_benchmark_of_speed_finds_each_reader(tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("step,d_loss\n" + "".join(f"{k},0.5\n" for k in range(40)))
    assert worker.gandoctor(str(table)) == 40
    assert worker.gandoctor(str(files.one_file(tmp_path / "events", 200))) > 0
