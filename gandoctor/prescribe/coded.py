"""A remedy in the training code: new values where the code gives or uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor.configs.splice import SpliceError
from gandoctor.model.report import Edit
from gandoctor.prescribe import diff
from gandoctor.prescribe.applying import MAX_BYTES, digest
from gandoctor.prescribe.source import agrees
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from gandoctor.configs.python.edits import Edited, Editor
    from gandoctor.configs.python.reading import Found
    from gandoctor.model.signals import Setting
    from gandoctor.prescribe.work_out import Step


@dataclass(frozen=True, slots=True)
class InCode:
    """The code of a run, for remedies.

    Attributes
    ----------
    editor : Editor
    base : str
        What its files are relative to: the folder of the ``run``, or the ``repo``.
    own : Mapping of str to str
        How the code's settings are called by its reader, where not as elsewhere.
    """

    editor: Editor
    base: Literal["run", "repo"]
    own: Mapping[str, str]

    def found(self, name: str) -> Found | None:
        """A canonical setting as the code has it."""
        return self.editor.code.found.get(self.own.get(name, name))

    def knows(self, name: str, setting: Setting) -> bool:
        """Whether the code gives a setting the very value that the run had."""
        found = self.found(name)
        return found is not None and (bool(setting.how) or agrees(found.value, setting.value))

    def where(self, name: str) -> str:
        """File and line of a setting; empty where the code does not have it."""
        found = self.found(name)
        return f"{found.place.file}:{found.place.line}" if found is not None else ""

    def edited(
        self, steps: Sequence[Step]
    ) -> tuple[tuple[Edit, ...], str, tuple[tuple[str, str], ...]]:
        """The edits, their diff, and the texts that it was made for.

        Raises
        ------
        SpliceError
            Where the code cannot be changed in so many small places; it says why.
        """
        for step in steps:
            if step.beside or not self.knows(step.name, step.setting):
                raise SpliceError(f"the code does not give `{step.setting.key}` the run's value")
        wanted = {self.own.get(s.name, s.name): s.new for s in steps}
        return self._told(self.editor.edit(wanted))

    def normed(self) -> tuple[tuple[Edit, ...], str, tuple[tuple[str, str], ...]]:
        """The same for spectral norm around each layer of D.

        Raises
        ------
        SpliceError
            Where that is not one small change a layer; it says why.
        """
        return self._told(self.editor.normed())

    def _told(self, done: Edited) -> tuple[tuple[Edit, ...], str, tuple[tuple[str, str], ...]]:
        before = self.editor.texts
        edits = tuple(Edit(c.file, setting, c.old, c.new, c.line) for setting, c in done.changes)
        if any(
            len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES for text in done.texts.values()
        ):
            raise SpliceError("the file is too long for a diff")
        patch = "".join(
            diff.unified(file, before[file], text) for file, text in sorted(done.texts.items())
        )
        return edits, patch, tuple((f, digest(before[f])) for f in sorted(done.texts))
