"""``gandoctor analyze``: from paths, or the standard input, to reports."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor import api
from gandoctor.cli.asking import fail_on_word
from gandoctor.errors import InputError, UsageError, told_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.api import Options
    from gandoctor.model.report import Report
    from gandoctor.options import FailOn

_MOST_INPUT: Final = 1 << 28  # bytes of a log from the standard input


def analysed(
    paths: Sequence[Path], options: Options, fail_on: FailOn | None, probe: str = ""
) -> tuple[list[Report], int]:
    """The reports of all paths, and the exit code.

    Of several, one that cannot be read is said, and the others are gone on with. With an entry for
    a `probe` the players of a run's checkpoint are measured, too.
    """
    if probe:
        if len(paths) > 1:
            raise UsageError("a probe is of one run", "--probe", "give one path")
        from gandoctor import probe as probing

        probed = probing.run(paths[0], probing.Wishes(entry=probe, data=options.data), options)
        return [probed], api.exit_code([probed], fail_on_word(paths[0], fail_on))
    if len(paths) == 1:
        with from_input(paths[0]) as path:
            reports = api.analyze_all(path, options)
        return reports, api.exit_code(reports, fail_on_word(paths[0], fail_on))
    from gandoctor.cli.gate import Gate

    gate = Gate(options)
    for path in paths:
        gate.look_at(path, fail_on)
    if not gate.reports:
        raise InputError("nothing could be read", "", "give logs or folders of runs")
    return gate.reports, gate.code


@contextmanager
def from_input(path: Path) -> Iterator[Path]:
    """A path as it is; for ``-`` a file with what the standard input holds."""
    if str(path) != "-":
        yield path
        return
    import tempfile

    data = sys.stdin.buffer.read(_MOST_INPUT)
    with tempfile.TemporaryDirectory(prefix="gandoctor-") as folder:
        file = Path(folder) / ("input.jsonl" if data.lstrip()[:1] in (b"{", b"[") else "input.log")
        file.write_bytes(data)
        with told_of(str(file), "the standard input"):
            yield file
