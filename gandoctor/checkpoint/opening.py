"""From a file to what it holds: told by its first bytes, never by its name alone."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint import flat, hierarchical, onnx_files, pickled
from gandoctor.checkpoint.archives import Archive
from gandoctor.checkpoint.flat import Flat
from gandoctor.checkpoint.pickled import Pickled
from gandoctor.checkpoint.windows import Window
from gandoctor.errors import GandoctorError, InputError, unforeseen
from gandoctor.files import below

if TYPE_CHECKING:
    from pathlib import Path

_HINT: Final = "give a checkpoint, or the folder of a run"
_HEAD: Final = 1 << 10
# Suffixes of files that may be a pickle of the oldest kind, which has no mark at its beginning.
_OLD: Final = frozenset({".pkl", ".pickle", ".p", ".pt", ".pth"})


def opened(path: Path) -> Pickled | Flat:
    """What a checkpoint holds; of its numbers none is read yet.

    Parameters
    ----------
    path : Path

    Raises
    ------
    GandoctorError
        It is no checkpoint, damaged, or of a kind that is not read: in one sentence.
    """
    try:
        return _opened(path)
    except GandoctorError:
        raise
    except OSError as fault:
        raise InputError(f"cannot be read ({fault.strerror or fault})", path.name) from None
    except Exception as fault:
        raise unforeseen(fault, "the checkpoint", path.name) from None


def _opened(path: Path) -> Pickled | Flat:
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError("is not a regular file", path.name, _HINT)
    window = Window.of(path)
    head = window.some(0, _HEAD)
    if not head:
        raise InputError("is empty", path.name, "the training broke off while it was saved")
    if head.startswith(below.POINTER):
        raise InputError(
            "is a Git LFS pointer: the checkpoint itself is stored elsewhere",
            path.name,
            "fetch it with: git lfs pull",
        )
    if head[:4] == b"PK\x03\x04":
        return _archive(Archive(window))
    if pickled.is_legacy(head):
        return pickled.legacy(window)
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return hierarchical.read(window)
    if path.suffix == ".index" or window.some(window.length - 8, 8) == flat.TF_MAGIC:
        return flat.tensorflow(path)
    if head[:1] == b"\x80" and 1 < head[1] <= 5:
        return pickled.plain(window)
    if flat.is_safetensors(head, window.length):
        return flat.safetensors(window)
    if onnx_files.is_onnx(head, path.name):
        return onnx_files.read(window)
    if not head.strip(b"\0"):
        raise InputError("begins with nothing but zeros", path.name, "it was never written whole")
    foreign = below.foreign(head)
    if foreign is not None:
        raise InputError(foreign[0].replace("the log", "the file"), path.name, _HINT)
    if path.suffix.lower() in _OLD and head[:1] in b"(c]}lditIKN.":
        return pickled.plain(window)
    page = head.lstrip()[:5].lower() in (b"<!doc", b"<html")
    what = "is a web page: the download failed" if page else "is no checkpoint of a known kind"
    raise InputError(what, path.name, _HINT)


def _archive(archive: Archive) -> Pickled | Flat:
    names = archive.entries
    if any(n == "data.pkl" or n.endswith("/data.pkl") for n in names):
        return pickled.zipped(archive)
    if "serialized_exported_program.json" in names:
        what = "is a program of torch.export as older torch wrote it, which is not read"
        raise InputError(what, archive.window.name, "export it again")
    models = [n for n in names if n.endswith(".json") and "models/" in n]
    if models:
        return flat.exported(archive, models)
    weights = next((n for n in names if n.endswith(("model.weights.h5", "weights.h5"))), "")
    if weights:
        found = hierarchical.read(archive.window_of(weights))
        texts = dict(found.texts)
        for name in ("config.json", "metadata.json"):
            if name in names:
                texts[name] = archive.text(name, 4 << 20).decode("utf-8", "replace")
        plan = hierarchical.plan_of(texts.get("config.json"), found.tensors)
        return Flat(found.tensors, "Keras", texts, plan)
    if any(n.endswith(".npy") for n in names):
        return flat.npz(archive)
    raise InputError("is a zip archive that holds no checkpoint", archive.window.name, _HINT)
