"""The command line: streams closed, full or a terminal; interrupts; odd names."""

from __future__ import annotations

import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[1]
GANDOCTOR = [sys.executable, "-m", "gandoctor"]
FULL = Path("/dev/full")


def start(*args: object, **more: Any) -> subprocess.Popen[str]:
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    environment = {**os.environ, "PYTHONPATH": str(REPO), "COLUMNS": "100"}
    return subprocess.Popen([*GANDOCTOR, *map(str, args)], text=True, env=environment, **more)


def run(*args: object, **more: Any) -> tuple[int, str, str]:
    with start(*args, **more) as process:
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in (out or "") + (err or "")
    assert "Exception ignored" not in (err or "")
    return process.returncode, out or "", err or ""


def one_sentence(err: str) -> bool:
    return err.startswith("gandoctor: ") and len(err.splitlines()) == 1


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healthy")
    rows = "".join(f"{i},{0.69 + i % 3 / 100},{0.72 - i % 4 / 100}\n" for i in range(60))
    (folder / "log.csv").write_text("step,d_loss,g_loss\n" + rows)
    return folder


@pytest.fixture(scope="module")
def failing(sample_logs: Path) -> Path:
    return sample_logs / "d-dominance"


# ---------------------------------------------------------------- streams


def gone() -> int:
    """A pipe that nobody reads."""
    ours, theirs = os.pipe()
    os.close(ours)
    return theirs


@pytest.mark.parametrize("output", [(), ("-o", "-"), ("-o", "-", "--format", "html")])
def test_where_nobody_reads_on_the_exit_code_still_tells_the_verdict(
    healthy: Path, failing: Path, tmp_path: Path, output: tuple[str, ...]
) -> None:
    for folder, code in ((healthy, 0), (failing, 1)):
        pipe = gone()
        assert run("analyze", folder, *output, cwd=tmp_path, stdout=pipe) == (code, "", "")
        os.close(pipe)


@pytest.mark.parametrize(
    "command",
    [
        ("--help",),
        ("analyze", "--help"),
        ("--version",),
        ("rules", "list"),
        ("explain", "d-loss-at-zero"),
    ],
)
def test_help_that_nobody_reads_is_no_failing_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    pipe = gone()
    code, _, err = run(*command, cwd=tmp_path, stdout=pipe)
    os.close(pipe)
    assert (code, err) in ((0, ""), (2, err))


@pytest.mark.parametrize("how", ["closed", "full", "nobody reads"])
def test_errors_that_cannot_be_told_are_errors(tmp_path: Path, how: str) -> None:
    if how == "closed":
        assert (
            run("analyze", "missing", cwd=tmp_path, stderr=None, preexec_fn=lambda: os.close(2))[0]
            == 2
        )
        assert run("nonsense", cwd=tmp_path, stderr=None, preexec_fn=lambda: os.close(2))[0] == 2
        return
    if how == "full" and not FULL.exists():
        pytest.skip("no /dev/full")
    stream = os.open(FULL, os.O_WRONLY) if how == "full" else gone()
    assert run("analyze", "missing", cwd=tmp_path, stderr=stream)[0] == 2
    assert run("nonsense", cwd=tmp_path, stderr=stream)[0] == 2
    os.close(stream)


@pytest.mark.parametrize("how", ["closed", "full"])
def test_an_output_that_takes_nothing_is_said(healthy: Path, tmp_path: Path, how: str) -> None:
    more: dict[str, Any] = {"preexec_fn": lambda: os.close(1), "stdout": None}
    if how == "full":
        if not FULL.exists():
            pytest.skip("no /dev/full")
        more = {"stdout": os.open(FULL, os.O_WRONLY)}
    for command in (
        ("analyze", healthy),
        ("signals", healthy),
        ("rules", "list"),
        ("--version",),
        ("--help",),
    ):
        code, _, err = run(*command, cwd=tmp_path, **more)
        assert code == 2, command
        assert one_sentence(err), err
        assert "the standard output" in err or command == ("--help",)
    assert run("analyze", healthy, "-q", cwd=tmp_path, **more) == (0, "", "")
    assert (tmp_path / "gandoctor-report.html").read_text("utf-8").rstrip().endswith("</html>")


def test_what_is_read_takes_no_closed_streams_place(healthy: Path, tmp_path: Path) -> None:
    def close() -> None:
        for number in range(3):
            os.close(number)

    report = tmp_path / "r.html"
    assert (
        run("analyze", healthy, "-q", "-o", report, stdout=None, stderr=None, preexec_fn=close)[0]
        == 0
    )
    assert report.read_text("utf-8").startswith("<!")


# ---------------------------------------------------------------- a terminal


def on_a_terminal(*args: object, cwd: Path) -> str:
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # how Linux says that the other end is closed
                return
            if not part:
                return
            shown.append(part)

    with start(*args, cwd=cwd, stdin=theirs, stdout=theirs) as process:
        os.close(theirs)
        thread = threading.Thread(target=listen)
        thread.start()
        process.wait(timeout=60)
        thread.join(timeout=60)
    os.close(ours)
    return b"".join(shown).decode("utf-8")


EVIL = "\x1b]0;title\x07 \x9b2J \u202e rev"


def test_a_diff_on_a_terminal_cannot_steer_it_and_in_a_pipe_is_exact(
    failing: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(failing, folder)
    (folder / "config.yaml").unlink()
    lines = (
        f"{setting}  # {EVIL}"
        for setting in ("lr_d = 0.0004", "lr_g = 0.0001", "batch_size = 64", "beta1 = 0.5")
    )
    (folder / "config.py").write_bytes("\r\n".join(lines).encode())
    with start("patch", folder, cwd=tmp_path) as process:
        assert process.stdout is not None
        piped = process.stdout.buffer.read().decode()  # type: ignore[attr-defined]
    assert EVIL + "\r\n" in piped
    shown = on_a_terminal("patch", folder, cwd=tmp_path)
    assert not any(c in shown for c in "\x1b\x07\x9b\u202e")
    assert "\\x1b]0;title\\x07 \\x9b2J \\u202e rev" in shown
    assert "\\r" not in shown  # the line ends of a file's own are no trick
    assert shown.count("\n") == piped.count("\n")


def test_names_of_a_stranger_cannot_steer_a_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    rows = "".join(f"{i},{0.69 + i % 3 / 100},{0.72 - i % 4 / 100},1\n" for i in range(60))
    (folder / "log.csv").write_bytes(f"step,d_loss,g_loss,x{EVIL}\n{rows}".encode())
    for command in (
        ("signals", folder),
        ("signals", folder, "--format", "json"),
        ("analyze", folder),
    ):
        shown = on_a_terminal(*command, cwd=tmp_path)
        assert not any(c in shown for c in "\x07\x9b\u202e"), command
        assert "\x1b]" not in shown
    _, piped, _ = run("signals", folder, "--format", "json", cwd=tmp_path)
    assert piped.isascii()


# ---------------------------------------------------------------- interrupts

INTERRUPTED = """\
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            {kill}
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["gandoctor", "analyze", {path!r}, "-q", "-o", {out!r}]
from gandoctor.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "module",
    ["gandoctor.cli", "typer", "gandoctor.api", "numpy", "numpy.linalg",
        "gandoctor.parsers.formats.csv",
     "gandoctor.reporters.html"],
)  # fmt: skip
@pytest.mark.parametrize(
    "inside", ["{}", "exec({!r})"]
)  # dataclasses and named tuples are made by exec
def test_an_interrupt_while_modules_load(
    healthy: Path, tmp_path: Path, module: str, inside: str
) -> None:
    out = tmp_path / "out" / "r.html"
    out.parent.mkdir()
    kill = inside.format("os.kill(os.getpid(), signal.SIGINT)")
    code = INTERRUPTED.format(module=module, path=str(healthy), out=str(out), kill=kill)
    home = tmp_path / "home"
    home.mkdir()
    (home / "interrupted.py").write_text(code)
    # With `-c` Python does not look at what an `exec` left behind.
    command = [
        sys.executable,
        "-m",
        "interrupted",
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=home, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert list(out.parent.iterdir()) in ([], [out])


def test_an_interrupt_while_a_run_is_read(healthy: Path, tmp_path: Path) -> None:
    with start("analyze", healthy, cwd=tmp_path) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.15)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    if "site.py" not in err:  # before our first line it is Python's own
        assert (process.returncode, err) == (130, "")


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("length", [300, 100_000])
def test_names_longer_than_names_may_be(healthy: Path, tmp_path: Path, length: int) -> None:
    name = "x" * length
    for command in (
        ("analyze", name), ("check", name), ("signals", name), ("signals", "--tags", name),
        ("patch", name),
        ("compare", name, healthy), ("compare", healthy, name), ("explain", name), ("rules", "docs",
        name),
        ("analyze", healthy, "--config", name), ("analyze", healthy, "--rules", name),
        ("analyze", healthy, "--repo", name), ("analyze", healthy, "-o", name + ".html"),
        ("analyze", healthy, "--map", f"d_loss={name}"), ("analyze", healthy, "--map",
        f"{name}=d_loss"),
        ("analyze", healthy, "--map", name), ("analyze", healthy, "--loss", name),
        ("analyze", healthy, "--select", name), ("signals", healthy, "--write-map", name),
        ("rules", "new", name, "--rules", tmp_path / "mine"),
    ):  # fmt: skip
        code, _, err = run(*command, cwd=tmp_path)
        assert code == 2, command[:3]
        assert one_sentence(err), (command[:3], err[:300])
        assert len(err) < 3_000
        assert "internal error" not in err


def test_a_long_name_stops_no_other_of_check(failing: Path, tmp_path: Path) -> None:
    code, out, err = run("check", "x" * 300, failing, cwd=tmp_path)
    assert code == 2
    told, summary = err.splitlines()
    assert one_sentence(told + "\n")
    assert summary == "1 run: 1 failing; 1 not readable"
    assert "high" in out


def test_a_folder_that_is_gone(healthy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    for command in (
        ("analyze", healthy),
        ("analyze", "."),
        ("check", healthy),
        ("signals", healthy),
    ):
        folder.mkdir(exist_ok=True)
        code, _, err = run(*command, cwd=folder, preexec_fn=folder.rmdir)
        assert code == 2
        assert one_sentence(err), err
        assert "internal error" not in err
    folder.mkdir(exist_ok=True)
    assert run("--version", cwd=folder, preexec_fn=folder.rmdir)[0] == 0


# ---------------------------------------------------------------- what never ends


def test_pipes_and_what_lies_in_proc(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tags")
    code, _, err = run("signals", "--tags", "tags", cwd=tmp_path)
    assert code == 2
    assert "is not a regular file" in err
    messages = Path("/proc/kmsg")
    if not messages.exists():
        pytest.skip("no /proc/kmsg")
    for command in (("analyze", messages), ("check", messages), ("signals", "--tags", messages)):
        assert run(*command, cwd=tmp_path)[0] in (0, 2)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("odd", ["nan inf", "inf -inf", "nan inf -inf", "1e308 -1e308 1e300"])
@pytest.mark.parametrize("share", [0.2, 0.9])
def test_numbers_that_are_none_are_told_in_the_report_and_not_by_numpy(
    tmp_path: Path, odd: str, share: float
) -> None:
    chance = random.Random(5)
    folder = tmp_path / "run"
    folder.mkdir()
    levels = {
        "d_loss": 1.38,
        "g_loss": 0.7,
        "d_real": 0.5,
        "d_fake": 0.5,
        "grad_norm_d": 1.0,
        "fid": 50.0,
    }
    lines = [",".join(["step", *levels])]
    for i in range(200):
        cells = (chance.choice(odd.split()) if chance.random() < share else f"{v + 0.1 * chance.random():.4f}"
                 for v in levels.values())  # fmt: skip
        lines.append(",".join([str(i), *cells]))
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    for more in ((), ("--loss", "wgan-gp")):
        code, _, err = run("analyze", folder, *more, "-q", cwd=tmp_path)
        assert code in (0, 1)
        assert err == ""


# ---------------------------------------------------------------- one command of many


def test_check_reads_a_log_from_the_input(healthy, tmp_path):
    with (healthy / "log.csv").open("rb") as log:
        code, out, err = run("check", "-", stdin=log, cwd=tmp_path)
    assert code == 0, err
    assert "-:" not in out + err
    assert err.startswith("1 run: 1 ")
    assert list(tmp_path.iterdir()) == []
    code, _, err = run("check", "-", stdin=subprocess.DEVNULL)
    assert code == 2
    assert "the standard input: is empty" in err


def test_all_commands_are_there_where_one_alone_is_made():
    _, out, _ = run("--help")
    lines = out.partition("Commands:")[2].splitlines()
    names = [line.split()[0] for line in lines if line[:2] == "  " and line[2:3].strip()]
    assert {"analyze", "check", "checkpoint", "probe", "demo", "rules"} <= set(names)
    for name in names:
        code, out, err = run(name, "--help")
        assert code == 0, err
        assert f" {name} " in out.splitlines()[0]
