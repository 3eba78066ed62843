"""What the probe promises, checked on a device: ``python3 -m benchmarks.probe.gpu [DEVICE]``.

Prints a line a check with its figures, whatever fails; exits with the number of checks that did.
Nothing but torch, numpy, PyYAML and what gandoctor itself imports is needed.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.probe import runs
from gandoctor import interrupts, probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.model.probing import ProbeNote

CLOSE = 0.02  # relative, or absolute below one
# A D from scratch is trained a hundred steps: rounding grows with them.
LOOSE = {"told_apart_anew": 0.1, "gain_anew": 0.1, "pull": 0.05, "first_to_last_g": 0.05}


def run(path: Path, device: str, **more: Any) -> ProbeNote:
    entry = f"{path / 'gandoctor_probe.py'}:build"
    note = probe.run(path, replace(probe.Wishes(entry=entry, device=device), **more)).probe
    assert note is not None
    return note


def figures(note: ProbeNote) -> dict[str, float]:
    return {f.name: math.nan if f.value is None else f.value for f in note.figures}


def apart(one: ProbeNote, other: ProbeNote) -> dict[str, float]:
    """How far figures of two probes lie apart, relative where they are larger than one."""
    a, b = figures(one), figures(other)
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    return {n: abs(a[n] - b[n]) / max(1.0, abs(a[n]), abs(b[n])) for n in a}


def agreement(place: Path, device: str, arch: str) -> str:
    """The same figures on the CPU and on the device, and what each took."""
    path = place / arch
    cpu, first = run(path, "cpu"), run(path, device)
    again = run(path, device)
    far = apart(cpu, first)
    off = {n: round(v, 4) for n, v in far.items() if v > LOOSE.get(n, CLOSE)}
    same = figures(first) == figures(again)
    worst = max(far, key=lambda n: far[n])
    assert not off, f"apart: {off}"
    assert first.device.startswith(device), first.device
    assert not first.notes, first.notes
    return (
        f"{len(far)} figures, furthest apart {worst} by {far[worst]:.2g}; cpu {cpu.seconds:.2f} s, "
        f"{device} {first.seconds:.2f} s, again {again.seconds:.2f} s, "
        f"{'the same' if same else 'NOT the same'} numbers"
    )


def out_of_memory(place: Path, device: str) -> str:
    """A batch that does not fit is halved until it does, and no figure is lost."""
    usual = run(place / "dcgan", device)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, 1.5 * 2**30 / total))
    try:
        tight = run(place / "dcgan", device, batch=4096, samples=4096)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    halved = [n for n in tight.notes if n.startswith("out of memory")]
    assert halved, tight.notes
    lacking = {n for n in figures(usual).keys() - figures(tight).keys() if "anew" not in n}
    assert not lacking, (lacking, tight.notes)
    return f"{len(halved)} times, first {halved[0]}; {tight.seconds:.1f} s, no figure lost"


def budget(place: Path, device: str) -> str:
    """A probe of far more than fits ends within a tenth of its budget."""
    told = []
    for seconds in (3.0, 8.0):
        begun = time.monotonic()
        note = run(place / "dcgan", device, budget=seconds, samples=400_000, batch=256)
        taken = time.monotonic() - begun
        told.append(f"{seconds:g} s took {taken:.2f} s")
        assert taken <= 1.1 * seconds, told
        assert not note.complete
    return "; ".join(told)


def interrupted(place: Path, device: str) -> str:
    """Ctrl-C leaves a report that can be read, and nothing that runs."""
    out, mark = place / "interrupted.json", place / "slow" / "started"
    entry = f"{place / 'slow' / 'gandoctor_probe.py'}:build"
    argv = [sys.executable, "-m", "gandoctor", "probe", str(place / "slow"), "--device", device]
    argv += ["--entry", entry, "-o", str(out), "--budget", "60s"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    waited = time.monotonic()
    while not mark.exists() and child.poll() is None and time.monotonic() < waited + 40:
        time.sleep(0.2)
    time.sleep(2)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=30)
    took = time.monotonic() - begun
    assert out.exists(), (child.returncode, said)
    notes = json.loads(out.read_text("utf-8"))["probe"]["notes"]
    assert child.returncode == interrupts.CODE, (child.returncode, said)
    assert any(n.startswith("interrupted") for n in notes), notes
    return f"ended {took:.2f} s after it with {child.returncode}; {notes}"


def half(place: Path, device: str) -> str:
    """Mixed precision where the run used it, and about the same figures."""
    full, mixed = run(place / "dcgan", device), run(place / "half", device)
    far = apart(full, mixed)
    kept = {n: round(far[n], 4) for n in ("distance", "coverage", "told_apart", "diversity")}
    assert "float16" in mixed.device, mixed.device
    assert max(kept.values()) < 0.1, kept
    return f"{mixed.device}: {mixed.seconds:.2f} s, full {full.seconds:.2f} s; apart {kept}"


def by_itself(place: Path, device: str) -> str:
    """``--device auto`` takes the device."""
    note = run(place / "tiny", "auto")
    assert note.device.startswith(device), note.device
    return note.device


def speed(place: Path, device: str) -> str:
    """Seconds by number of samples."""
    told = []
    for samples in (512, 4096, 16384):
        note = run(place / "dcgan", device, samples=samples, batch=512)
        told.append(f"{samples} samples {note.seconds:.2f} s")
    return "; ".join(told)


def _slow(path: Path) -> None:
    """A run whose D takes half a second an answer, and leaves a mark at the first."""
    entry = runs.write(path, steps=30) / "gandoctor_probe.py"
    mark = f"open({str(path / 'started')!r}, 'a').close()"
    hook = f"    def late(*a): {mark}; time.sleep(0.5)\n    D.register_forward_hook(late)"
    text = entry.read_text("utf-8").replace("    made =", f"{hook}\n    made =")
    entry.write_text(f"import time\n{text}", "utf-8")


def main(device: str = "cuda") -> int:
    """All checks, one after the other."""
    begun = time.monotonic()
    print(f"python {sys.version.split()[0]}, torch {torch.__version__}")
    if torch.cuda.is_available():
        print(f"{torch.cuda.get_device_name(0)} (CUDA {torch.version.cuda})", flush=True)
    elif device == "cuda":
        print("there is no CUDA here: nothing was checked")
        return 1
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        runs.write(place / "tiny")
        runs.write(place / "dcgan", "dcgan", steps=2, lr=2e-4)
        runs.write(place / "half", "dcgan", steps=2, lr=2e-4, more=("amp: true",))
        _slow(place / "slow")
        print(f"runs to probe written in {time.monotonic() - begun:.1f} s", flush=True)
        checks: dict[str, Callable[[], str]] = {
            "cpu and device agree, tiny": lambda: agreement(place, device, "tiny"),
            "cpu and device agree, DCGAN 64x64": lambda: agreement(place, device, "dcgan"),
            "auto": lambda: by_itself(place, device),
            "budget": lambda: budget(place, device),
            "Ctrl-C": lambda: interrupted(place, device),
        }
        if device == "cuda":
            checks |= {
                "mixed precision": lambda: half(place, device),
                "speed": lambda: speed(place, device),
                "out of memory": lambda: out_of_memory(place, device),
            }
        for name, check in checks.items():
            start = time.monotonic()
            try:
                said = f"ok    {name}: {check()}"
            except Exception as e:
                failed += 1
                said = f"FAIL  {name}: {type(e).__name__}: {str(e)[:600]}"
                traceback.print_exc(limit=-3)
            print(f"{said} [{time.monotonic() - start:.1f} s]", flush=True)
    print(f"{failed} failed; {time.monotonic() - begun:.1f} s in all")
    return failed


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
