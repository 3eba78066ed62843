"""Torch's files, new and old, and plain pickles: what they hold, as a pickle machine saw it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint.machine import Machine
from gandoctor.checkpoint.objects import Resolver, dtype_of_storage, rows_of, storage_pid
from gandoctor.checkpoint.plans import SCRIPT, Plan
from gandoctor.checkpoint.tensors import WIDTHS, Storage, Unread
from gandoctor.errors import InputError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.checkpoint.archives import Archive
    from gandoctor.checkpoint.inert import Global
    from gandoctor.checkpoint.windows import Window

LEGACY: Final = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
MOST_NESTED: Final = 3  # files within files
MOST_CODE: Final = 8 << 20  # bytes of the code of a graph


@dataclass(frozen=True, slots=True, eq=False)
class Pickled:
    """A pickle as it was read.

    Attributes
    ----------
    root : object
        What it holds.
    resolver : Resolver
        Finds the tensors in it.
    globals : list of Global
        What it would import.
    kind : str
        What sort of file it is, for people.
    plan : Plan or None
        How its network runs, where the file says it.
    """

    root: object
    resolver: Resolver
    globals: list[Global]
    kind: str
    plan: Plan | None = None


def zipped(archive: Archive) -> Pickled:
    """A file of torch 1.6 or later, or TorchScript.

    Raises
    ------
    InputError
        It is damaged.
    """
    names = [n for n in archive.entries if n == "data.pkl" or n.endswith("/data.pkl")]
    if len(names) != 1:
        raise InputError(
            "holds several checkpoints, or contradicts itself", archive.window.name, "save it again"
        )
    root = names[0].removesuffix("data.pkl")
    order = f"{root}byteorder"
    big = order in archive.entries and archive.text(order, 16).strip() == b"big"
    window = archive.window_of(names[0])
    if window.length <= 8 << 20:
        archive.text(names[0])  # proves its check sum
    machine = Machine(window)
    value = machine.run()
    resolver = Resolver(_storages(archive, f"{root}data/", big=big), window)
    code = [n for n in archive.entries if n.startswith(f"{root}code/") and n.endswith(".py")]
    if not code:
        return Pickled(value, resolver, machine.globals, "torch")

    def texts() -> dict[str, bytes]:
        if sum(archive.entries[n].size for n in code) > MOST_CODE:
            raise InputError("holds more code than is read", archive.window.name)
        return {n.removeprefix(f"{root}code/"): archive.text(n) for n in code}

    def more(name: str) -> tuple[object, Resolver] | None:
        return _beside(archive, f"{root}{name}", big=big)

    plan = Plan(SCRIPT, texts, root=value, resolver=resolver, more=more)
    return Pickled(value, resolver, machine.globals, SCRIPT, plan)


def _storages(archive: Archive, folder: str, *, big: bool) -> Callable[[str], Storage | Unread]:
    def storage(key: str) -> Storage | Unread:
        name = f"{folder}{key}"
        if name not in archive.entries:
            return Unread("its numbers are not in the file")
        try:
            return Storage(archive.window_of(name), big, archive.entries[name].crc)
        except InputError as fault:
            return Unread(fault.what)

    return storage


def _beside(archive: Archive, stem: str, *, big: bool) -> tuple[object, Resolver] | None:
    """A further pickle of TorchScript with its numbers: constants, or what was traced."""
    if f"{stem}.pkl" not in archive.entries:
        return None
    window = archive.window_of(f"{stem}.pkl")
    return Machine(window).run(), Resolver(_storages(archive, f"{stem}/", big=big), window)


def is_legacy(head: bytes) -> bool:
    """Whether a file begins as torch's files did before 1.6."""
    return head[2:14] == LEGACY and head[:1] == b"\x80"


def legacy(window: Window, depth: int = 0) -> Pickled:
    """A file of torch before 1.6: five pickles, then the numbers.

    Raises
    ------
    InputError
        It is damaged.
    """
    machine = Machine(window)
    machine.run()  # magic
    machine.run()  # version
    info = machine.run()
    big = any(k == "little_endian" and v is False for k, v in rows_of(info) or () if type(k) is str)
    value = machine.run()
    listed = machine.run()
    widths: dict[str, int] = {}
    for one in machine.persistents:
        found = storage_pid(one.pid)
        if found is not None:
            widths[found[1]] = WIDTHS.get(dtype_of_storage(found[0]), 0)
    at = machine.position
    places: dict[str, Storage] = {}
    for raw in listed if isinstance(listed, list) else ():
        key = str(raw) if type(raw) is int else raw
        if type(key) is not str or not widths.get(key):
            break
        count = struct.unpack("<q", window.read(at, 8))[0]
        length = count * widths[key]
        if count < 0 or at + 8 + length > window.length:
            if not places and count < 0:
                raise InputError("is damaged (a storage of no size)", window.name, "copy it again")
            break
        places[key] = Storage(window.part(at + 8, length), big)
        at += 8 + length

    def storage(key: str) -> Storage | Unread:
        return places.get(key) or Unread("the file ends before its numbers")

    resolver = Resolver(storage, window, _within(depth))
    return Pickled(value, resolver, machine.globals, "torch (before 1.6)")


def plain(window: Window, depth: int = 0) -> Pickled:
    """A pickle that is no torch file, but may hold tensors.

    Raises
    ------
    InputError
        It is damaged.
    """
    machine = Machine(window)
    value = machine.run()
    resolver = Resolver(lambda _: Unread("its numbers are not in the file"), window, _within(depth))
    return Pickled(value, resolver, machine.globals, "pickle")


def _within(depth: int):  # type: ignore[no-untyped-def]
    def nested(window: Window) -> tuple[object, Resolver] | None:
        if depth >= MOST_NESTED:
            return None
        try:
            inner = (
                legacy(window, depth + 1) if is_legacy(window.some(0, 16)) else _nested_zip(window)
            )
        except InputError:
            return None
        return inner.root, inner.resolver

    return nested


def _nested_zip(window: Window) -> Pickled:
    from gandoctor.checkpoint.archives import Archive

    return zipped(Archive(window))
