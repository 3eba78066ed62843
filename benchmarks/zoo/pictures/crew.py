"""Many trainings beside one another: processes that take the next task until the time is up.

A run that fails leaves a record with its error; a process that dies takes only its own run along.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
import traceback
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo.pictures import data
from benchmarks.zoo.pictures.records import SUFFIX, Record, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.zoo.pictures.plan import Task

TOLD_EVERY: Final = 5.0  # seconds
PACKS: Final = 6
PACK_BYTES: Final = 10 * 2**20 - 65536


@dataclass(frozen=True)
class Place:
    """Where and on what to train.

    Attributes
    ----------
    folder : Path
        Of the records.
    sets : Path
        Of drawn pictures and classifiers.
    device : str
    until : float
        Time of day after which no run is begun.
    weights : bool
        Whether to keep the players' last state.
    """

    folder: Path
    sets: Path
    device: str
    until: float
    weights: bool = True


def train(tasks: Sequence[Task], place: Place, jobs: int) -> int:
    """Train whatever has no record yet; returns how many runs were trained."""
    place.folder.mkdir(parents=True, exist_ok=True)
    missing = [t for t in tasks if not (place.folder / f"{t['name']}{SUFFIX}").exists()]
    print(f"{len(tasks)} runs, {len(missing)} to train, {jobs} processes", flush=True)
    if not missing:
        return 0
    begun = time.time()
    prepare(sorted({t["settings"]["data.name"] for t in missing}), place.sets)
    print(f"pictures and classifiers are ready after {time.time() - begun:.0f} s", flush=True)
    spawn = multiprocessing.get_context("spawn")
    turn, done, failed = (spawn.Value("i", 0) for _ in range(3))
    crew = [
        spawn.Process(target=_work, args=(missing, place, turn, done, failed), daemon=True)
        for _ in range(jobs)
    ]
    for process in crew:
        process.start()
    last = 0.0
    while any(process.is_alive() for process in crew):
        time.sleep(0.5)
        if time.time() - last > TOLD_EVERY:
            last = time.time()
            rate = done.value / (last - begun)
            print(
                f"{last - begun:4.0f} s  {done.value}/{len(missing)} done, {failed.value} with an "
                f"error, {rate:.2f} a second, {sum(p.is_alive() for p in crew)} at work",
                flush=True,
            )
        if time.time() > place.until + 60:
            print("time is up: what is unfinished is left", flush=True)
            for process in crew:
                process.terminate()
            break
    print(f"{done.value} runs in {time.time() - begun:.0f} s", flush=True)
    return int(done.value)


def prepare(names: Sequence[str], folder: Path) -> None:
    """Draw the pictures once, so that no process has to."""
    jobs = [n for n in names if not (folder / f"{n}.npz").exists()]
    with multiprocessing.get_context("spawn").Pool(max(1, min(len(jobs), 4))) as pool:
        pool.starmap(_draw, [(name, folder) for name in jobs])


def _draw(name: str, folder: Path) -> None:
    data.load(name, folder)


def _work(tasks: Sequence[Task], place: Place, turn: Any, done: Any, failed: Any) -> None:
    import torch  # noqa: PLC0415

    from benchmarks.zoo.pictures.measure import Bench  # noqa: PLC0415

    torch.set_num_threads(1)
    benches: dict[str, Any] = {}
    longest = 0.0
    while True:
        with turn.get_lock():
            at = turn.value
            turn.value += 1
        if at >= len(tasks) or time.time() + longest > place.until:
            return
        begun, task = time.time(), tasks[at]
        name = task["settings"]["data.name"]
        try:
            if name not in benches:
                pictures = data.load(name, place.sets)
                benches[name] = Bench(pictures, place.device, place.sets)
            record = train_one(task, benches[name])
        except Exception as error:  # every run is told of, and none stops the others
            print(f"{task['name']}: {traceback.format_exc(limit=-2)}", file=sys.stderr, flush=True)
            record = Record(task["settings"], {"error": f"{type(error).__name__}: {error}"[:300]})
            with failed.get_lock():
                failed.value += 1
        record.about = task["about"] | record.about | {"name": task["name"]}
        if not place.weights:
            record.weights = {}
        save(record, place.folder)
        with done.get_lock():
            done.value += 1
        longest = max(longest, 1.2 * (time.time() - begun))


def train_one(task: Task, bench: Any) -> Record:
    """One training in this process."""
    from benchmarks.zoo.pictures.train import Training  # noqa: PLC0415  (torch)

    return Training(task["settings"], bench).run()


# -------------------------------------------------------------------------------- one GPU for many


def share_gpu() -> bool:
    """Start the daemon that lets processes use a GPU side by side; whether it works."""
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        print("no nvidia-cuda-mps-control: the processes take turns on the GPU", flush=True)
        return False
    for name in ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"):
        os.environ[name] = f"/tmp/zoo-{name.split('_')[2].lower()}"  # noqa: S108
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)
    subprocess.run([control, "-d"], check=False, timeout=30)
    probe = "import torch; print(float(torch.ones(2, device='cuda').sum()))"
    try:
        told = subprocess.run(
            [sys.executable, "-c", probe], check=False, timeout=60, capture_output=True, text=True
        )
        works, why = told.returncode == 0, told.stderr[-300:]
    except subprocess.TimeoutExpired:
        works, why = False, "no answer in 60 s"
    print("the processes share the GPU" if works else f"no sharing of the GPU: {why}", flush=True)
    if not works:
        unshare_gpu()
    return works


def unshare_gpu() -> None:
    """End the daemon."""
    control = shutil.which("nvidia-cuda-mps-control")
    if control and os.environ.pop("CUDA_MPS_PIPE_DIRECTORY", None):
        environment = os.environ | {"CUDA_MPS_PIPE_DIRECTORY": "/tmp/zoo-pipe"}  # noqa: S108
        subprocess.run(
            [control], input="quit\n", text=True, check=False, timeout=30, env=environment
        )


# -------------------------------------------------------------------------------------------- packs


def pack(tasks: Sequence[Task], folder: Path, out: Path) -> list[Path]:
    """Put records into few files of bounded size: all records, then weights, judge's first."""
    out.mkdir(parents=True, exist_ok=True)
    ordered = sorted(tasks, key=lambda t: t["about"].get("half") != "judge")
    records = [folder / f"{t['name']}{SUFFIX}" for t in tasks]
    weights = [folder / f"{t['name']}.npz" for t in ordered]
    packs: list[Path] = []
    left, kept, room = 0, 0, 0
    file: zipfile.ZipFile | None = None
    for path in (p for p in (*records, *weights) if p.exists()):
        size = path.stat().st_size + 300
        if file is None or size > room:
            if len(packs) == PACKS:
                left += 1
                continue
            if file is not None:
                file.close()
            packs.append(out / f"pack-{len(packs)}.zip")
            file, room = zipfile.ZipFile(packs[-1], "w"), PACK_BYTES
        file.write(path, path.name)
        room -= size
        kept += 1
    if file is not None:
        file.close()
    print(f"{kept} files in {len(packs)} packs, {left} did not fit", flush=True)
    return packs


def unpack(packs: Path, folder: Path) -> int:
    """Take records out of packs; how many files there were."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in sorted(packs.glob("pack-*.zip")):
        with zipfile.ZipFile(path) as file:
            for name in file.namelist():
                (folder / Path(name).name).write_bytes(file.read(name))
                count += 1
    return count
