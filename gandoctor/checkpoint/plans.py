"""Forward passes that a file holds beside the weights: as text and data, not yet looked at."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gandoctor.checkpoint.objects import Resolver
    from gandoctor.checkpoint.tensors import Tensor, Unread

SCRIPT = "TorchScript"
EXPORTED = "torch.export"
KERAS = "Keras"
ONNX = "ONNX"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What tells how a network runs.

    Attributes
    ----------
    kind : str
        Which sort of graph it is.
    texts : callable
        Reads the texts of the graph, by their names in the file.
    tensors : Mapping of str to Tensor or Unread
        Weights by the names that the graph has for them.
    root : object
        The module that was pickled, of TorchScript.
    resolver : Resolver or None
        Finds its tensors.
    more : callable or None
        Constants that the code speaks of, and examples of what goes in, each an object and its
        resolver, by name.
    """

    kind: str
    texts: Callable[[], dict[str, bytes]]
    tensors: Mapping[str, Tensor | Unread] = field(default_factory=dict)
    root: object = None
    resolver: Resolver | None = None
    more: Callable[[str], tuple[object, Resolver] | None] | None = None
