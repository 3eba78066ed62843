"""Real data for a probe: a folder of pictures, an array, or what an entry gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError, UsageError
from gandoctor.probe.backend import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MOST_LISTED: Final = 20_000
MOST_BYTES: Final = 1 << 31
MOST_PIXELS: Final = 50_000_000
_BESIDE: Final = ("samples/real.npy", "real.npy", "samples/real_samples.npy", "real_samples.npy")


class Data:
    """What ``--data`` names; an entry may ask for it as ``data``.

    Parameters
    ----------
    path : Path or None
    count : int
        Examples that are wanted, at most.
    seed : int
        Which of many are taken.
    """

    def __init__(self, path: Path | None, count: int, seed: int) -> None:
        self.path, self.count, self.seed = path, count, seed

    def __bool__(self) -> bool:
        return self.path is not None

    def images(self, size: int, *, channels: int = 3, low: float = -1.0, high: float = 1.0) -> Any:
        """Pictures of a folder, resized and cropped in the middle.

        Parameters
        ----------
        size : int
            Side in pixels.
        channels : int
            1 or 3.
        low, high : float
            What black and white become.

        Returns
        -------
        tensor of float32, shape (n, channels, size, size)
        """
        from PIL import Image

        files = self._pictures()
        found = []
        for file in files:
            try:
                with Image.open(file) as picture:
                    if picture.width * picture.height > MOST_PIXELS:
                        continue
                    found.append(_square(picture, size, channels))
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                continue
        if not found:
            raise InputError("none of its pictures can be read", str(self.path))
        values = np.stack(found).astype(np.float32) / 255
        return torch().from_numpy(low + values * (high - low))

    def array(self) -> Any:
        """The rows of an ``.npy`` or ``.npz`` file, as float32.

        Returns
        -------
        tensor, shape (n, ...)
        """
        if self.path is None:
            raise UsageError("the entry asks for data", "--data", "give a file or folder of it")
        return rows_of(self.path, self.count, self.seed)

    def _pictures(self) -> Sequence[Path]:
        if self.path is None:
            raise UsageError("the entry asks for data", "--data", "give a folder of pictures")
        if not self.path.is_dir():
            raise UsageError("is no folder", f"--data {self.path}", "give a folder of pictures")
        files: list[Path] = []
        for file in self.path.rglob("*"):
            if file.suffix.lower() in PICTURES:
                files.append(file)
            if len(files) >= MOST_LISTED:
                break
        if not files:
            raise UsageError("holds no pictures", f"--data {self.path}", ", ".join(PICTURES))
        files.sort()
        order = np.random.default_rng(self.seed).permutation(len(files))[: self.count]
        return [files[i] for i in order]


def _square(picture: Any, size: int, channels: int) -> Any:
    """A picture as channels, rows, columns of bytes."""
    picture = picture.convert("L" if channels == 1 else "RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side)).resize((size, size))
    values = np.asarray(picture)
    return values[None] if channels == 1 else values.transpose(2, 0, 1)


def rows_of(path: Path, count: int, seed: int) -> Any:
    """Some rows of an array in a file, as a tensor.

    Raises
    ------
    InputError
        There is no array in it.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("is larger than 2 GiB", str(path), "give a part of it")
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.lib.npyio.NpzFile):
            loaded = loaded[loaded.files[0]]
        values = torch().from_numpy(np.asarray(loaded, np.float32))
    except (OSError, ValueError, EOFError, IndexError) as e:
        raise InputError(f"holds no array ({e})", str(path), ".npy or .npz is wanted") from None
    if values.dim() < 1 or not len(values):
        raise InputError("holds no array", str(path), ".npy or .npz is wanted")
    return some(values, count, seed)


def some(values: Any, count: int, seed: int) -> Any:
    """So many rows, drawn without regard to their order."""
    if len(values) <= count:
        return values
    chosen = np.random.default_rng(seed).permutation(len(values))[:count]
    return values[torch().from_numpy(chosen)]


def beside(run: Path) -> Path | None:
    """Real data that the run itself keeps beside its samples."""
    home = run if run.is_dir() else run.parent
    return next((home / name for name in _BESIDE if (home / name).is_file()), None)


def gathered(given: Any, count: int, seed: int, what: str) -> Any:
    """Examples in whatever form an entry gives them, as one tensor on the CPU.

    Parameters
    ----------
    given : tensor, ndarray, Path, callable, or iterable of batches
    count : int
        As many as that, at most.
    seed : int
    what : str
        The part of `Probe` that it is, for errors.

    Raises
    ------
    UsageError
        It is none of these.
    """
    t = torch()
    if callable(given) and not hasattr(given, "shape"):
        given = given(count)
    if isinstance(given, str | Path):
        return rows_of(Path(given), count, seed)
    if isinstance(given, np.ndarray):
        given = t.from_numpy(np.ascontiguousarray(given))
    if hasattr(given, "shape"):
        return some(given.detach().cpu(), count, seed)
    try:
        batches = iter(given)
    except TypeError:
        raise UsageError(
            f"is a {type(given).__name__}", f"Probe({what}=)", "give a tensor, or batches of them"
        ) from None
    parts, held = [], 0
    for batch in batches:
        rows = batch[0] if isinstance(batch, list | tuple) else batch
        if isinstance(rows, dict):
            rows = next(iter(rows.values()))
        rows = t.as_tensor(rows).detach().cpu()
        parts.append(rows)
        held += len(rows)
        if held >= count:
            break
    if not parts:
        raise UsageError(
            "holds no examples", f"Probe({what}=)", "give a tensor, or batches of them"
        )
    return t.cat(parts)[:count]
