"""Losses that are infinite, huge, tiny or missing: a report as ever, and no warning of numpy's."""

from __future__ import annotations

import warnings
from itertools import product
from typing import TYPE_CHECKING

import pytest

import gandoctor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 120


def level(i: int) -> float:
    """A loss that stays about where it was."""
    return 0.7 + 0.01 * (i % 7)


VALUES: dict[str, Callable[[int], object]] = {
    "level": level,
    "infinite": lambda _: "inf",
    "missing": lambda _: "nan",
    "both infinities": lambda i: ("inf", "-inf")[i % 2],
    "in turns": lambda i: ("nan", "inf", "-inf", 0.7)[i % 4],
    "infinite at last": lambda i: level(i) if i < 80 else ("inf", "-inf", "nan")[i % 3],
    "one number": lambda i: level(i) if i == 0 else "nan",
    "huge": lambda i: (1.7e308, -1.7e308)[i % 2],
    "huge here and there": lambda i: 1e308 if i % 5 == 0 else level(i),
    "growing": lambda i: f"1e{2 * i}",
    "tiny": lambda i: 5e-324 * (i + 1),
}
HEADS = {
    "two losses": ("step", "d_loss", "g_loss"),
    "a critic": ("step", "critic_loss", "g_loss", "gradient_penalty"),
    "outputs": ("epoch", "D_real", "D_fake", "G_loss", "D(x)", "D(G(z))"),
    "much": ("step", "d_loss", "g_loss", "grad_norm_d", "fid", "d_acc_real", "lr_d", "kl"),
}


@pytest.mark.parametrize(("head", "kind"), list(product(HEADS, VALUES)))
@pytest.mark.parametrize("other", ["level", "huge", "in turns"])
def test_whoever_calls_the_library_sees_no_warning(
    tmp_path: Path, head: str, kind: str, other: str
) -> None:
    names = HEADS[head]
    makers = [VALUES[(kind, other)[k % 2]] for k in range(len(names) - 1)]
    rows = (",".join([str(i), *(str(make(i)) for make in makers)]) for i in range(ROWS))
    (tmp_path / "log.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        report = gandoctor.analyze(tmp_path)
    assert report.signals
