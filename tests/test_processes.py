"""Several processes at a time give what one gives, whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gandoctor import api
from gandoctor.api import Options
from gandoctor.errors import RulebookError, RuleError
from gandoctor.processes import each
from gandoctor.reporters import folder as many

if TYPE_CHECKING:
    from pathlib import Path

HERE = os.getpid()
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="one process makes no copies here")


def test_all_is_given_in_order_by_other_processes() -> None:
    given = list(each(lambda k: (k, os.getpid()), 40, jobs=3))
    assert [k for k, _ in given] == list(range(40))
    assert HERE not in {process for _, process in given}
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(("count", "jobs"), [(0, 2), (1, 2), (5, 1)])
def test_a_little_is_done_here(count: int, jobs: int) -> None:
    assert list(each(lambda _: os.getpid(), count, jobs)) == [HERE] * count


def test_what_fails_elsewhere_fails_here_as_it_would_have() -> None:
    def work(k: int) -> int:
        if k == 3:
            raise RulebookError([RuleError("is wrong", "a.yaml"), RuleError("as well", "b.yaml")])
        return k

    got = []
    with pytest.raises(RulebookError, match="2 faults in the rules"):
        got += list(each(work, 6, jobs=2))
    given = each(work, 6, jobs=2)
    assert [next(given) for _ in range(3)] == [0, 1, 2]


def test_what_cannot_be_handed_over_is_made_here() -> None:
    assert [f() for f in each(lambda k: lambda: k, 4, jobs=2)] == [0, 1, 2, 3]


def test_a_process_that_is_killed_costs_nothing() -> None:
    def work(k: int) -> int:
        if k == 2 and os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return k

    assert list(each(work, 8, jobs=2)) == list(range(8))


def test_who_has_had_enough_leaves_nobody_working() -> None:
    given = each(lambda k: time.sleep(60 * (k > 0)), 4, jobs=2)
    next(given)
    given.close()
    until = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < until:
        time.sleep(0.05)
    assert multiprocessing.active_children() == []


@pytest.fixture
def runs(tmp_path: Path, sample_logs: Path) -> Path:
    for name in ("explosion", "healthy-hinge", "healthy-wgan"):
        shutil.copytree(sample_logs / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


def test_reports_and_pages_are_the_same(runs: Path) -> None:
    one, two = (api.analyze_all(runs, Options(jobs=jobs)) for jobs in (1, 2))
    assert one == two
    assert list(many.pages(one)) == list(many.pages(two, jobs=2))


def test_an_interrupt_ends_them_all(runs: Path, tmp_path: Path) -> None:
    for k in range(20):
        shutil.copytree(runs / "explosion", runs / f"again-{k}")
    words = [sys.executable, "-m", "gandoctor", "analyze", str(runs), "--jobs", "2"]
    command = subprocess.Popen(
        [*words, "-o", str(tmp_path / "report") + "/"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    children = f"/proc/{command.pid}/task/{command.pid}/children"
    while command.poll() is None and not open(children).read().split():  # noqa: PTH123, SIM115
        time.sleep(0.01)
    os.killpg(command.pid, signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out, err) == (130, b"", b"")
    with pytest.raises(ProcessLookupError):  # nobody of the group is left
        os.killpg(command.pid, 0)
