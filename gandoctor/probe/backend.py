"""PyTorch and the device it runs on; the one place that imports it."""

from __future__ import annotations

import contextlib
import importlib
import os
import warnings
from typing import TYPE_CHECKING, Any

from gandoctor.errors import UsageError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.signals import Setting

INSTALL = "pip install 'gandoctor[probe]' installs it"


def torch(what: str = "a probe") -> Any:
    """PyTorch.

    Raises
    ------
    UsageError
        It is not installed; says how.
    """
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError) as e:
        missing = isinstance(e, ModuleNotFoundError) and e.name == "torch"
        why = "is not installed" if missing else f"cannot be imported ({type(e).__name__}: {e})"
        raise UsageError(f"{what} needs PyTorch, which {why}", "", INSTALL) from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the players run.

    Attributes
    ----------
    name : str
        As torch names the device.
    told : str
        For people.
    half : str
        ``float16`` or ``bfloat16`` where the run used mixed precision and the device has it.
    """

    name: str
    told: str
    half: str = ""

    def there(self, value: Any) -> Any:
        """A tensor on the device."""
        return value.to(self.name)

    def forget(self) -> None:
        """Give back what the device's allocator holds for nobody."""
        if self.name.startswith("cuda"):
            torch().cuda.empty_cache()
        elif self.name == "mps":
            torch().mps.empty_cache()

    def wait(self) -> None:
        """Until all that was asked of the device is done."""
        if self.name.startswith("cuda"):
            torch().cuda.synchronize()
        elif self.name == "mps":
            torch().mps.synchronize()

    def precision(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision, where the run used it."""
        if not self.half:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[Any] = torch().autocast(
            self.name.partition(":")[0], dtype=getattr(torch(), self.half)
        )
        return context


def place(wish: str, amp: Setting | None = None) -> Place:
    """The device that is wished for; ``auto``: CUDA, MPS or CPU, the first that is there.

    Parameters
    ----------
    wish : str
    amp : Setting, optional
        What the run says of mixed precision.

    Raises
    ------
    UsageError
        There is no such device.
    """
    t = torch()
    if wish == "auto":
        wish = next((name for name, there in _devices(t) if there), "cpu")
    try:
        name = str(t.device(wish))
        t.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as e:
        said = str(e).partition("\n")[0]
        raise UsageError(
            f"no such device ({said})", f"--device {wish}", "auto, cpu, cuda, cuda:1 or mps"
        ) from None
    told = name
    if name.startswith("cuda"):
        told = f"{name} ({t.cuda.get_device_name(name)})"
    half = _half(amp) if name.startswith("cuda") else ""
    return Place(name, f"{told}, {half}" if half else told, half)


def _devices(t: Any) -> Iterator[tuple[str, bool]]:
    yield "cuda", t.cuda.is_available()
    yield "mps", getattr(t.backends, "mps", None) is not None and t.backends.mps.is_available()


def _half(amp: Setting | None) -> str:
    word = str(amp.value).lower() if amp is not None else ""
    if word in ("", "false", "0", "none", "no", "32", "fp32", "32-true", "full"):
        return ""
    return "bfloat16" if "bf16" in word or "bfloat16" in word else "float16"


@contextlib.contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """The same numbers at every call: seeds, no TF32, deterministic kernels where there are any."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    t = torch()
    cudnn, matmul = t.backends.cudnn, t.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    was, only_warned = (
        t.are_deterministic_algorithms_enabled(),
        t.is_deterministic_algorithms_warn_only_enabled(),
    )
    state = t.get_rng_state()
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = False, False, False
    t.use_deterministic_algorithms(mode=True, warn_only=True)
    t.manual_seed(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before
        t.use_deterministic_algorithms(mode=was, warn_only=only_warned)
        t.set_rng_state(state)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the machine, had no room for what was asked of it."""
    if isinstance(error, MemoryError):
        return True
    own = getattr(torch(), "OutOfMemoryError", ()) or ()
    said = str(error).lower()
    return isinstance(error, own) or (
        isinstance(error, RuntimeError)
        and ("out of memory" in said or "can't allocate memory" in said or "alloc_failed" in said)
    )
