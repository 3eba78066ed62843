"""``gandoctor check``: what is told of many paths, and what decides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor import api, preferences, reporters
from gandoctor.cli.asking import fail_on_word
from gandoctor.cli.looking import from_input
from gandoctor.cli.occasion import occasion
from gandoctor.cli.saying import note, say, write
from gandoctor.errors import GandoctorError, UsageError, of_system
from gandoctor.files import writing
from gandoctor.reporters import baseline, wording
from gandoctor.reporters.problems import placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.api import Options
    from gandoctor.model.report import Report
    from gandoctor.options import FailOn
    from gandoctor.reporters import Reporter

_MOST_NAMED: Final = 3


class Gate:
    """Looks at one path after the other, and remembers what there was to say.

    Parameters
    ----------
    options : Options
    known, new : Path or None
        A baseline of known problems, and one to be written.

    Attributes
    ----------
    code : int
        0, or 1 where a run fails, or 2 where something could not be read.
    """

    def __init__(
        self, options: Options, known: Path | None = None, new: Path | None = None
    ) -> None:
        self.code = 0
        self._new_baseline = new
        # Outside a repository runs are known by where they lie from their baseline.
        self._home = Path(os.path.abspath(known or new or "file")).parent  # noqa: PTH100
        self._read: list[str] = []
        self._options = options
        self._known = baseline.read(known) if known is not None else []
        if new is not None and new.exists():
            baseline.read(new)  # a file that is no baseline is not written over
        self._whole: list[Report] = []
        self._new: list[Report] = []
        self._hidden = self._unread = 0

    @property
    def reports(self) -> list[Report]:
        """All that was read."""
        return self._whole

    def look_at(self, path: Path, fail_on: FailOn | None) -> None:
        """Analyse one path; what cannot be read is said, and the others are gone on with."""
        try:
            with from_input(path) as file:
                found = api.analyze_all(file, self._options)
        except UsageError:
            raise
        except (GandoctorError, OSError) as e:
            fault = of_system(e, str(path)) if isinstance(e, OSError) else e
            note(" ".join(f"gandoctor: {fault}".split()))
            self._unread += 1
            self.code = 2
            return
        reports = self._placed(found, path)
        for sentence in wording.preferences(reports):
            note(f"{path.as_posix()}: {sentence}")
        told = [baseline.without(r, self._known) for r in reports]
        new = [r for r, _ in told]
        self._hidden += sum(n for _, n in told)
        self._whole += reports
        self._new += new
        word = fail_on_word(path, fail_on, self._options.analysed)
        self.code = max(self.code, api.exit_code(new, word))

    def _placed(self, reports: Sequence[Report], path: Path) -> list[Report]:
        """The reports, each knowing where its run lies, as it was typed and as it is."""
        if str(path) == "-":
            return placed(reports, "")
        key = _key(path, self._home)
        # What lies above everything is looked through as a whole.
        self._read.append("." if set(Path(key).parts) == {".."} else key)
        # An event file is one of the files of its folder's run.
        run = path.parent if "tfevents" in path.name and path.is_file() else path
        folder = path if path.is_dir() else path.parent
        return placed(
            reports, path.as_posix(), folder.as_posix(), lambda mine: _key(run / mine, self._home)
        )

    def tell(
        self,
        outputs: Sequence[tuple[str, Reporter]],
        *,
        skipped: Sequence[Path],
    ) -> None:
        """Print the lines, or write the outputs, and say in the end what was looked at."""
        aloud = all(target != "-" for target, _ in outputs)
        lines = reporters.by_name("check").render_many(self._new)
        if aloud and lines.strip():
            say(lines)
        for target, reporter in outputs:
            if self._new:
                write(target, reporters.render(reporter, self._new, **occasion()))
        if self._new_baseline is not None:
            writing.write_text(self._new_baseline, baseline.kept(self._whole))
            note(f"baseline: {self._new_baseline}")
            self.code = 2 if self.code == 2 else 0
        for k in baseline.vanished(self._known, self._whole, self._read):
            note(f"{k.run}: {k.ident} is gone; it may leave the baseline")
        if self._whole or skipped:
            note(self._summary(skipped))

    def _summary(self, skipped: Sequence[Path]) -> str:
        verdicts = wording.verdicts(self._whole)
        parts = [wording.count(len(self._whole), "run") + (f": {verdicts}" if verdicts else "")]
        if self._hidden:
            parts.append(f"{wording.count(self._hidden, 'known problem')} hidden")
        if self._unread:
            parts.append(f"{self._unread:,} not readable")
        if skipped:
            names = ", ".join(p.as_posix() for p in skipped[:_MOST_NAMED])
            more = ", ..." if len(skipped) > _MOST_NAMED else ""
            parts.append(f"{len(skipped):,} skipped, being no training log ({names}{more})")
        return "; ".join(parts)


def _key(path: Path, home: Path) -> str:
    """A path from the root of its repository; where it lies in none, from `home`."""
    # Not resolved: a link in the repository is known by where it stands.
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    return Path(os.path.relpath(whole, preferences.repository(whole) or home)).as_posix()
