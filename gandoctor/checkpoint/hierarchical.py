"""Weights that Keras keeps in HDF5, read with h5py where it is installed.

h5py follows links into other files and reads numbers from them if the file says so. Such links and
data sets are passed over before anything of them is opened.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint.flat import MOST_NAMES, Flat
from gandoctor.checkpoint.plans import KERAS, Plan
from gandoctor.checkpoint.tensors import WIDTHS, Tensor, Unread, of_array
from gandoctor.errors import InputError

if TYPE_CHECKING:
    from gandoctor.checkpoint.windows import Window

MOST_BYTES: Final = 1 << 27  # of all data sets together
MOST_FILE: Final = 1 << 28
DEEPEST: Final = 24
MOST_TEXT: Final = 4 << 20
_TEXTS: Final = ("model_config", "training_config", "keras_version", "backend")


def read(window: Window) -> Flat:
    """The data sets of an HDF5 file.

    Raises
    ------
    InputError
        h5py is not installed, or the file is damaged.
    """
    try:
        import h5py
    except ImportError:
        raise InputError(
            "is an HDF5 file (Keras), which is read with h5py",
            window.name,
            "install it: pip install 'gandoctor[keras]'",
        ) from None
    if window.length > MOST_FILE:
        raise InputError("is larger than what is read of HDF5", window.name)
    data = io.BytesIO(window.read(0, window.length))  # it can lead to no other file by its name
    found: dict[str, Tensor | Unread] = {}
    texts: dict[str, str] = {}
    try:
        with h5py.File(data, "r") as file:
            for name in _TEXTS:
                word = file.attrs.get(name) if name in file.attrs else None
                word = word.decode("utf-8", "replace") if isinstance(word, bytes) else word
                if isinstance(word, str) and len(word) <= MOST_TEXT:
                    texts[name] = word
            _walk(h5py, file, window, found)
    except InputError:
        raise
    except Exception as fault:  # h5py raises what it likes on damaged files
        if isinstance(fault, MemoryError):
            raise
        raise InputError("is damaged (HDF5)", window.name, "copy it again") from None
    return Flat(found, "Keras (HDF5)", texts, plan_of(texts.get("model_config"), found))


def plan_of(config: str | None, tensors: dict[str, Tensor | Unread]) -> Plan | None:
    """How a model runs, where its config is known."""
    if config is None:
        return None
    return Plan(KERAS, lambda: {"config": config.encode()}, tensors)


def _walk(h5py: Any, file: Any, window: Window, found: dict[str, Tensor | Unread]) -> None:
    left = MOST_BYTES
    stack: list[tuple[str, Any, int]] = [("", file, 0)]
    seen = set()
    while stack and len(found) < MOST_NAMES:
        path, group, level = stack.pop()
        below = []
        for name in group:
            where = f"{path}/{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                found[where] = Unread("it is a link, which is not followed")
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                found[where] = tensor = _read(item, window, left)
                left -= tensor.storage.window.length if isinstance(tensor, Tensor) else 0
            elif isinstance(item, h5py.Group) and level < DEEPEST:
                address = h5py.h5o.get_info(item.id).addr
                if address not in seen:
                    seen.add(address)
                    below.append((where, item, level + 1))
        stack.extend(reversed(below))


def _read(item: Any, window: Window, left: int) -> Tensor | Unread:
    if item.external or item.is_virtual:
        return Unread("its numbers lie in another file, which is not opened")
    if item.dtype.name not in WIDTHS:
        return Unread("an array of a kind that is not read")
    if math.prod(item.shape) * item.dtype.itemsize > left:
        return Unread("it is larger than what is read")
    return of_array(item[()], window)
