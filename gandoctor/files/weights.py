"""Which files may be checkpoints, by name; what is in them is asked later, and only of these."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 2_000
_SURE: Final = frozenset(
    {".pt", ".pth", ".ckpt", ".pt2", ".safetensors", ".keras", ".h5", ".hdf5", ".onnx"}
)
# Of these only a telling name is taken: they are data as often.
_DOUBTFUL: Final = frozenset({"", ".pkl", ".pickle", ".npz", ".bin", ".index", ".model", ".state"})
_TELLING: Final = late_pattern(
    r"(?:^|[^a-z])(?:net_?[gd]|gen(?:erator)?|dis(?:c|criminator)?|critic|model|checkpoint|ckpt|"
    r"network-(?:snapshot|final)|snapshot_iter|weights?|g|d|do)(?:[^a-z]|$)",
)
_COUNTED: Final = late_pattern(r"[_-]\d{2,}|epoch|step|iter")
_ARCHIVE: Final = (".pth.tar", ".pt.tar", ".ckpt.tar")


def may_be(path: PurePath) -> bool:
    """Whether a file may be a checkpoint, by its name alone."""
    suffix = path.suffix.lower()
    if suffix in _SURE:
        return True
    name = path.name.lower()
    if suffix in _DOUBTFUL:
        telling = _TELLING.search(path.stem.lower()) is not None
        return telling and (suffix != "" or _COUNTED.search(name) is not None)
    return name.endswith(_ARCHIVE)


def find(paths: Iterable[Path]) -> list[Path]:
    """Those of the files that may be checkpoints."""
    return [p for p in paths if may_be(p)][:MOST]
