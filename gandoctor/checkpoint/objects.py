"""What a pickle's objects stand for: mappings, attributes, tensors, plain values.

Objects come from `gandoctor.checkpoint.machine`; nothing here hashes, compares or prints one that
is not known to be a number or a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint.inert import Global, Made, Pairs, Persistent
from gandoctor.checkpoint.tensors import WIDTHS, Storage, Tensor, Unread, columns, tensor
from gandoctor.checkpoint.windows import Held, Window
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

_STORAGES: Final = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8",
}
_DTYPES: Final = {"double": "float64", "float": "float32", "half": "float16", "long": "int64"}
_NUMPY_KINDS: Final = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
_DICTS: Final = ("OrderedDict", "defaultdict", "EasyDict", "AttrDict", "Counter", "Config", "Box")
_UNREAD: Final = {
    "_rebuild_sparse_tensor": "sparse tensors are not read",
    "_rebuild_sparse_csr_tensor": "sparse tensors are not read",
    "_rebuild_qtensor": "quantised tensors are not read",
    "_rebuild_meta_tensor_no_storage": "it was saved without its numbers",
    "_rebuild_nested_tensor": "nested tensors are not read",
    "_rebuild_wrapper_subclass": "a tensor of a class of its own is not read",
}
_NESTED: Final = 6  # wrappers round a tensor


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A storage with the kind of its numbers."""

    storage: Storage
    dtype: str


def dtype_of_storage(kind: object) -> str:
    """The kind of numbers of a storage's class; empty where it is unknown."""
    return _STORAGES.get(kind.name, "") if isinstance(kind, Global) else ""


def path_of(made: object) -> str:
    """``module.name`` of what would make an object; empty where it is no plain name."""
    by = made.by if isinstance(made, Made) else made
    if isinstance(by, Persistent) and _is_pid(by.pid, "module", 2):
        by = by.pid[1]  # type: ignore[index]
    return by.path if isinstance(by, Global) else ""


def _is_pid(pid: object, word: str, least: int) -> bool:
    return (
        isinstance(pid, tuple) and len(pid) >= least and isinstance(pid[0], str) and pid[0] == word
    )


def storage_pid(pid: object) -> tuple[object, str, object] | None:
    """Class, key and view of a reference to a storage; None where it is none."""
    if not _is_pid(pid, "storage", 5):
        return None
    kind, key = pid[1], pid[2]  # type: ignore[index]
    if isinstance(key, int) and not isinstance(key, bool) and abs(key) < 1 << 63:
        key = str(key)
    if not isinstance(key, str):
        return None
    return kind, key, pid[5] if len(pid) > 5 else None  # type: ignore[arg-type,index]


def rows_of(value: object) -> list[tuple[Any, Any]] | None:
    """The pairs of a mapping, later ones last; None where it is no mapping."""
    if isinstance(value, Pairs):
        return value.rows
    if not isinstance(value, Made):
        return None
    if value.rows or path_of(value).rpartition(".")[2] in _DICTS:
        given = value.args[0] if isinstance(value.args, tuple) and value.args else None
        if isinstance(given, list):
            pairs = [r for r in given if isinstance(r, tuple | list) and len(r) == 2]
            return [*((r[0], r[1]) for r in pairs), *value.rows]
        if isinstance(given, Pairs):
            return [*given.rows, *value.rows]
        return value.rows
    return None


def attributes_of(value: object) -> list[tuple[Any, Any]] | None:
    """The attributes of an object (of a Namespace, a module); None where nothing tells."""
    if not isinstance(value, Made):
        return None
    state = value.state
    if isinstance(state, tuple) and len(state) == 2:  # ``__dict__`` and slots
        both = [rows_of(s) or [] for s in state]
        return [*both[0], *both[1]]
    found = rows_of(state)
    if found is None and path_of(value).endswith("_reconstruct_persistent_obj"):
        meta = value.args[0] if isinstance(value.args, tuple) and value.args else None
        inside = dict_of(meta)
        return rows_of(inside.get("state"))
    return found


def dict_of(value: object) -> dict[str, Any]:
    """The entries of a mapping whose keys are texts; empty where it is no mapping."""
    return {k: v for k, v in rows_of(value) or () if isinstance(k, str)}


def named_attributes(value: object) -> dict[str, Any]:
    """The attributes of an object by name; empty where it has none."""
    return {k: v for k, v in attributes_of(value) or () if isinstance(k, str)}


class Resolver:
    """Finds the tensors among the objects of one file.

    Parameters
    ----------
    storages : callable
        Gives the storage of a key, or a sentence on why there is none.
    window : Window
        The file.
    nested : callable
        Reads a torch file that lies within the pickle; gives its object and its resolver.
    """

    def __init__(
        self,
        storages: Callable[[str], Storage | Unread],
        window: Window,
        nested: Callable[[Window], tuple[object, Resolver] | None] | None = None,
    ) -> None:
        self._storages = storages
        self._window = window
        self._nested = nested
        self._inside: dict[int, tuple[object, Resolver] | None] = {}
        self._kept: list[object] = []  # what `_inside` knows by its id

    def tensor_of(self, value: object) -> Tensor | Unread | None:
        """The tensor that an object stands for; None where it stands for none."""
        for _ in range(_NESTED):
            if not isinstance(value, Made):
                return None
            path = path_of(value)
            name = path.rpartition(".")[2]
            args = value.args
            if not path or not isinstance(args, tuple):
                return None
            if name in _UNREAD and path.startswith("torch"):
                return Unread(_UNREAD[name])
            if name in ("_rebuild_parameter", "_rebuild_parameter_with_state", "Parameter"):
                if not args:
                    return None
                value = args[0]
                continue
            if name in ("_rebuild_from_type", "_rebuild_from_type_v2") and len(args) >= 3:
                value = Made(args[0], args[2])
                continue
            if path.startswith("torch._utils._rebuild_tensor"):
                return self._torch_tensor(name, args)
            if name == "_rebuild_device_tensor_from_numpy" and args:
                value = args[0]
                continue
            return self._numpy(value, name, args) if path.startswith("numpy") else None
        return None

    def storage_of(self, value: object) -> Numbers | Unread | None:
        """The storage that an object stands for."""
        if isinstance(value, Persistent):
            found = storage_pid(value.pid)
            if found is None:
                return None
            kind, key, view = found
            dtype = dtype_of_storage(kind)
            if not dtype:
                return Unread("a storage of a kind that is not read")
            storage = self._storages(key)
            if isinstance(storage, Unread):
                return storage
            return _viewed(storage, dtype, view)
        if path_of(value) in ("torch.storage._load_from_bytes", "torch._utils._load_from_bytes"):
            inner = self._nested_in(value)
            return inner[1].storage_of(inner[0]) if inner else Unread("a storage that is damaged")
        if isinstance(value, Made) and isinstance(value.args, tuple):
            held = value.args[0] if value.args else None
            return self.storage_of(held) if isinstance(held, Persistent) else None
        return None

    def _nested_in(self, value: object) -> tuple[object, Resolver] | None:
        if id(value) not in self._inside:
            args = value.args if isinstance(value, Made) else ()
            data = _bytes_of(args[0]) if isinstance(args, tuple) and args else None
            if isinstance(data, bytes):
                data = Held(data, self._window.path, self._window.name, id(data))
                self._kept.append(data.data)
            ready = isinstance(data, Window) and self._nested is not None
            self._inside[id(value)] = self._nested(data) if ready else None  # type: ignore[misc,arg-type]
            self._kept.append(value)
        return self._inside[id(value)]

    def _torch_tensor(self, name: str, args: tuple[Any, ...]) -> Tensor | Unread:
        if len(args) < 4:
            return Unread("it is described by too few values")
        held = self.storage_of(args[0])
        if held is None:
            return Unread("its storage is none")
        if isinstance(held, Unread):
            return held
        shape, strides = _numbers(args[2]), _numbers(args[3])
        dtype = held.dtype
        if name.endswith("v3") and len(args) > 6 and isinstance(args[6], Global):
            dtype = _DTYPES.get(args[6].name, args[6].name)
        if shape is None or strides is None:
            return Unread("its shape is none")
        return tensor(held.storage, dtype, shape, strides, args[1])

    # ------------------------------------------------------------ numpy

    def _numpy(self, value: Made, name: str, args: tuple[Any, ...]) -> Tensor | Unread | None:
        if name == "_reconstruct" and isinstance(value.state, tuple) and len(value.state) == 5:
            _, shape, kind, fortran, data = value.state
            return self._numpy_tensor(kind, shape, data, fortran is True)
        if name == "scalar" and len(args) == 2:
            return self._numpy_tensor(args[0], (), args[1], False)
        if name == "_frombuffer" and len(args) == 4:
            return self._numpy_tensor(args[1], args[2], args[0], args[3] == "F")
        return None

    def _numpy_tensor(
        self, kind: object, shape: object, data: object, fortran: bool
    ) -> Tensor | Unread:
        dtype, big = _numpy_dtype(kind)
        sizes = _numbers(shape)
        data = _bytes_of(data)
        if isinstance(data, bytes):
            self._kept.append(data)
            data = Held(data, self._window.path, self._window.name, -id(data))
        if not dtype or sizes is None or not isinstance(data, Window):
            return Unread("an array of a kind that is not read")
        plain = [n for n in sizes if isinstance(n, int)]
        return tensor(Storage(data, big), dtype, sizes, columns(plain) if fortran else None)


def _viewed(storage: Storage, dtype: str, view: object) -> Numbers | Unread:
    if view is None:
        return Numbers(storage, dtype)
    width = WIDTHS[dtype]
    them = view if isinstance(view, tuple) and len(view) == 3 else ()
    if not them or any(type(n) is not int or n < 0 for n in them[1:]):
        return Unread("a view of a storage that is none")
    _, first, count = them
    if (first + count) * width > storage.window.length:
        return Unread("it reaches beyond its storage")
    return Numbers(Storage(storage.window.part(first * width, count * width), storage.big), dtype)


def _numbers(value: object) -> list[object] | None:
    """The members of a shape: a tuple, a list, or a ``torch.Size``."""
    if isinstance(value, Made) and isinstance(value.args, tuple) and len(value.args) == 1:
        value = value.args[0]
    return list(value) if isinstance(value, tuple | list) else None


def _bytes_of(value: object) -> object:
    """Bytes, also where old protocols wrote them as text to be encoded."""
    if isinstance(value, Made) and path_of(value) == "_codecs.encode":
        args = value.args if isinstance(value.args, tuple) else ()
        if args and isinstance(args[0], str):
            return args[0].encode("latin-1", errors="replace")
    if isinstance(value, Made) and path_of(value).endswith("bytearray"):
        args = value.args if isinstance(value.args, tuple) else ()
        return _bytes_of(args[0]) if len(args) == 1 else b""
    if isinstance(value, str):  # python 2
        return value.encode("latin-1", errors="replace")
    return value


def _numpy_dtype(value: object) -> tuple[str, bool]:
    """Name of a numpy dtype, and whether the most significant byte comes first."""
    if not isinstance(value, Made) or not path_of(value).startswith("numpy"):
        return "", False
    args = value.args if isinstance(value.args, tuple) else ()
    word = args[0] if args and isinstance(args[0], str) else ""
    state = value.state if isinstance(value.state, tuple) else ()
    big = len(state) > 1 and isinstance(state[1], str) and state[1] == ">"
    if word in ("b1", "?"):
        return "bool", big
    kind, width = _NUMPY_KINDS.get(word[:1], ""), word[1:3]
    if not kind or not (width.isascii() and width.isdigit()):
        return "", big
    name = f"{kind}{int(width) * 8}"
    return (name if name in WIDTHS else ""), big
