"""How large the pictures of a training are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.layers import Layers
from gandoctor.configs.python.loops import SHOWING, TEST, fits
from gandoctor.configs.python.sides import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.python.values import Reader
    from gandoctor.configs.python.ways import Known

_SHAPES: Final = ("imgshape", "imageshape", "imgdims", "imagedims", "inputshape", "datashape")
_INCEPTION: Final = 299  # pixels, of what pictures are brought to for a judge of them
# What reads pictures from a folder.
_LOADERS: Final = ("image_dataset_from_directory", "flow_from_directory")


class Pictures(Layers):
    """Looks for the side that pictures have."""

    def image_size(self) -> Known | None:
        """The side that pictures are brought to."""
        for name in ("CenterCrop", "RandomCrop", "RandomResizedCrop", "Resize"):
            known = list(self._brought_to(name))
            if not known:
                continue
            # a file that loads several data sets brings each to a size of its own
            first = known[0]
            is_own = bool(first.trail) and first.trail[-1][0] is self.home
            return first if is_own or all(k.value == first.value for k in known) else None
        return self._loaded() or self._resized() or self._of_shape() or self._taken()

    def _brought_to(self, name: str) -> Iterator[Known]:
        """The sides that the calls of a transform are given."""
        for call in self.calls(name):
            node = call.args[0] if call.args else None
            if node is None:
                node = next((k.value for k in call.keywords if k.arg == "size"), None)
            end = self.reader.end(node) if node is not None else None
            if end is not None and isinstance(end[0], ast.Tuple | ast.List) and end[0].elts:
                node = end[0].elts[0]
            known = self.reader.known(node) if node is not None else None
            if known is not None and fits(known.value, 4, 8192, whole=True):
                yield known

    def _loaded(self) -> Known | None:
        """``image_dataset_from_directory(..., image_size=(64, 64))``."""
        for name in _LOADERS:
            for call in self.calls(name):
                for keyword in call.keywords:
                    if keyword.arg in ("image_size", "target_size", "img_size"):
                        end = self.reader.end(keyword.value)
                        known = self._side_of(end[0]) if end is not None else None
                        if known is not None:
                            return known
        return None

    def _taken(self) -> Known | None:
        """``Conv2D(..., input_shape=[28, 28, 1])``, ``Input(shape=(28, 28, 1))``."""
        for name, word in (("Conv2D", "input_shape"), ("Input", "shape"), ("InputLayer", "shape")):
            for call in self.calls(name):
                given = [k.value for k in call.keywords if k.arg == word]
                given += call.args[:1] if name == "Input" else []
                for shape in given:
                    end = self.reader.end(shape)
                    node = end[0] if end is not None else shape
                    known = self._side_of(node) if _is_picture(node, self.reader) else None
                    if known is not None:
                        return known
        return None

    def _resized(self) -> Known | None:
        """``picture.resize((28, 28))``, where that is no look at what comes of the training."""
        for call in (*self.calls("resize"), *self.calls("imresize")):
            name = getattr(self.index.function_of(call), "name", "")
            if TEST.search(name) or set(words_of(name)) & {*SHOWING, "fid", "inception"}:
                continue
            handed = (*call.args, *(k.value for k in call.keywords if k.arg in ("size", "dsize")))
            if len(call.args) == 3:  # `imresize(picture, 64, 64)`
                pair = ast.Tuple([*call.args[1:]], ast.Load())
                handed = (*handed[:2], pair)
            for node in handed[:3]:
                known = self._side_of(node)
                if known is not None and known.value != _INCEPTION:
                    return known
        return None

    def _of_shape(self) -> Known | None:
        """``img_shape = (1, 28, 28)``."""
        index = self.index
        for name in (n for w in _SHAPES for n in self._spelled().get(w, ())):
            given = [
                b.value for scope in self._scopes_in_order() for b in index.defined(scope, name)
            ]
            for value in (*given, *(s.value for s in index.stores.get(name, ()))):
                known = self._side_of(value) if value is not None else None
                if known is not None:
                    return known
        return None

    def _side_of(self, node: ast.AST) -> Known | None:
        """The one side of a square shape, channels before or behind it or not at all."""
        if not isinstance(node, ast.Tuple | ast.List) or not 2 <= len(node.elts) <= 3:
            return None
        sides = [self.reader.known(e) for e in node.elts]
        at = [k for k in sides if k is not None and fits(k.value, 5, 8192, whole=True)]
        return at[0] if len(at) == 2 and at[0].value == at[1].value else None

    def side(self, known: Known) -> Known | None:
        """The side of what is given as an area, ``image_size = 28 * 28``; else as it is."""
        node = known.trail[0][1] if known.trail else None
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            return known
        one, other = self.reader.known(node.left), self.reader.known(node.right)
        is_square = one is not None and other is not None and one.value == other.value
        return one if is_square else known


def _is_picture(node: ast.AST, reader: Reader) -> bool:
    """Whether a shape is that of pictures, and none of features: of one channel, or of colours."""
    if not isinstance(node, ast.Tuple | ast.List) or len(node.elts) != 3:
        return False
    return any(reader.number(node.elts[i]) in (1, 3, 4) for i in (0, 2))
