"""Causes, findings and patches as the HTML page shows them, in the order that it tells them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from gandoctor.reporters import believing
from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gandoctor.model.report import Diagnosis, Finding, Prescription, Report
    from gandoctor.reporters.figures import Album, Picture

_MOST_PICTURES: Final = 6  # of one finding
_LEAST: Final = 0.005  # nats that two digits show
_RISKS: Final = {"safe": "safe to apply", "trial": "worth a trial", "advice": "advice, by hand"}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with its pictures; `said` is evidence in words, each with whether it is known."""

    it: Finding
    since: str
    pictures: tuple[Picture, ...]
    said: tuple[tuple[bool, str], ...]


@dataclass(frozen=True, slots=True)
class ShownPatch:
    """A prescription.

    Attributes
    ----------
    number : int
        Counted from 1, as ``gandoctor patch --number`` does.
    lead : bool
        Whether it is the one to try first.
    copies : bool
        Whether it may be offered for copying: all of it can be seen.
    diff : tuple of (class, line)
        The diff's text stays what it was, character by character (line ends apart).
    crlf : bool
        Whether the file has such line ends.
    """

    it: Prescription
    number: int
    lead: bool
    chip: str
    flags: str
    copies: bool
    diff: tuple[tuple[str, str], ...]
    crlf: bool


@dataclass(frozen=True, slots=True)
class ShownCause:
    """A diagnosis with all that stands below it.

    Attributes
    ----------
    folded : bool
        Another explanation of what is explained above: worth a line, and a look if that one fails.
    again : tuple of str
        Titles of findings it explains that are shown above.
    reasons : tuple of (class, x, width, weight, text)
        Each with its bar: to the right for what speaks for the cause, to the left for what speaks
        against it. How common the cause is comes last, then what all come to.
    evidence : str
        In one line, for where it is folded.
    """

    it: Diagnosis
    kicker: str
    folded: bool
    since: str
    leading: tuple[ShownFinding, ...]
    again: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]
    evidence: str
    patches: tuple[ShownPatch, ...]
    explains: str
    consequences: tuple[ShownFinding, ...]


def when(report: Report, step: int | None) -> str:
    """``iteration 95``, or nothing."""
    return "" if step is None else w.at(step, report.run.step_unit)


class Teller:
    """Tells causes and findings in the order of the page, so that no evidence is shown twice.

    Parameters
    ----------
    report : Report
    album : Album or None
        Draws the evidence; without it evidence is said in words, and of each cause only what comes
        first.
    """

    def __init__(self, report: Report, album: Album | None) -> None:
        self._report = report
        self._album = album
        self._told: set[str] = set()  # fingerprints

    def causes(self, cases: Iterable[w.Case]) -> Iterator[ShownCause]:
        """The causes, the likeliest first."""
        for i, case in enumerate(cases):
            yield self._cause(case, first=i == 0)

    def _cause(self, case: w.Case, *, first: bool) -> ShownCause:
        known = [f for f in (*case.leading, *case.consequences) if f.fingerprint in self._told]
        leading = [f for f in case.leading if f not in known]
        consequences = [f for f in case.consequences if f not in known] if self._album else []
        best = case.patch
        patches = sorted(case.prescriptions, key=lambda p: p is not best)
        return ShownCause(
            it=case.diagnosis,
            kicker=_kicker(first=first, leading=bool(leading)),
            folded=not (first or leading),
            since=when(self._report, case.diagnosis.onset_step),
            leading=tuple(self._finding(f) for f in leading),
            again=tuple(f.title for f in known),
            reasons=tuple(_bars(case.diagnosis)) if self._album else (),
            evidence=_evidence(case.diagnosis),
            patches=tuple(
                self._patch(p, lead=p is best) for p in patches if self._album or p is best
            ),
            explains=f"{w.count(len(consequences), 'consequence')} of it",
            consequences=tuple(self._finding(f) for f in consequences),
        )

    def lone(self) -> Iterator[tuple[str, str, ShownFinding]]:
        """Findings without a cause, then those of rules on trial: (kicker, class, finding)."""
        for f in w.orphans(self._report):
            yield "Found, with no cause to name", f.severity, self._finding(f)
        for f in w.previews(self._report):
            yield "From a rule on trial: it never decides", "preview", self._finding(f)

    def _finding(self, f: Finding) -> ShownFinding:
        self._told.add(f.fingerprint)
        pictures: list[Picture] = []
        said: list[tuple[bool, str]] = []
        for evidence in f.evidence:
            if evidence.truth == "unknown":
                said.append(
                    (False, f"Not known: {evidence.reason or evidence.text or evidence.clause}")
                )
            elif evidence.truth == "true":
                room = self._album is not None and len(pictures) < _MOST_PICTURES
                picture = self._album.evidence(evidence, f) if self._album and room else None
                if picture is None:
                    said.append((True, evidence.text or evidence.where))
                else:
                    pictures.append(as_markup(picture))
        return ShownFinding(f, when(self._report, f.onset_step), tuple(pictures), tuple(said))

    def _patch(self, p: Prescription, *, lead: bool) -> ShownPatch:
        flags = " ".join(p.overrides)
        return ShownPatch(
            it=p,
            number=1 + next(i for i, other in enumerate(self._report.prescriptions) if other is p),
            lead=lead,
            chip="blocked" if p.blocked_by else _RISKS.get(p.risk, p.risk),
            flags=flags,
            copies=not w.hides_something((p.diff or "") + flags + (p.snippet or "")),
            diff=tuple(_lines(p.diff or "")),
            crlf="\r\n" in (p.diff or ""),
        )


def as_markup(picture: Picture) -> Picture:
    """The picture with its drawing marked as what it is.

    Every text in it was escaped where it was drawn.
    """
    from markupsafe import Markup

    svg = Markup(picture.drawing.svg)  # noqa: S704
    return dataclasses.replace(picture, drawing=dataclasses.replace(picture.drawing, svg=svg))


def _kicker(*, first: bool, leading: bool) -> str:
    """The line above a cause's title; `leading` where a finding is told under this cause alone."""
    if first:
        return "Most likely cause"
    return "Another cause" if leading else "Another possible cause"


def _bars(d: Diagnosis) -> Iterator[tuple[str, ...]]:
    rows = [(r.weight, r.text) for r in d.reasons]
    common = d.score - sum(weight for weight, _ in rows)
    if abs(common) >= _LEAST:
        rows.append((common, "how common this cause is, before anything is known"))
    largest = max((abs(weight) for weight, _ in rows), default=0.0) or 1.0
    for (weight, text), said in zip(rows, believing.adding_up([n for n, _ in rows]), strict=True):
        width = 34 * min(1.0, abs(weight / largest))
        kind, x = ("for", 36.0) if weight >= 0 else ("against", 36 - width)
        yield kind, f"{x:.1f}", f"{width:.1f}", said, text
    yield "sum", "36", "0", believing.signed(d.score), "together"


def _evidence(d: Diagnosis) -> str:
    """What speaks most for a cause beyond the symptoms, which others explain as well."""
    held = sorted((r for r in d.reasons if r.weight > 0), key=lambda r: -r.weight)
    own = [r for r in held if not r.text.startswith("it explains ")]
    return (own or held)[0].text if held else ""


def _lines(diff: str) -> Iterator[tuple[str, str]]:
    """Each line of a diff with its class."""
    kinds = {"+": "file", "-": "file", "@": "hunk"}
    for line in diff.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        kind = kinds.get(line[:1], "same")
        if kind == "hunk":
            # What is added or taken away stands below a hunk's head.
            kinds |= {
                "+": "add",
                "-": "del",
            }
        yield kind, line
