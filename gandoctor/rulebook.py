"""YAML -> rules, causes and remedies.

All faults at once, each with file:key and what would be right.

A folder is laid out as ``rules/``: ``symptoms/``, ``risks/``, ``causes/``, ``remedies/`` and
``vocabulary/``. A user's own folder may have any of them, or hold its files side by side; what a
file is then shows in its keys.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import keyword
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

from gandoctor import rule_cache
from gandoctor.errors import RulebookError, RuleError, near
from gandoctor.lang.syntax import Expression, Scope, compile_test, compile_value, compile_when
from gandoctor.lang.window import Amount, Window, parse_amount, parse_window
from gandoctor.lexicon import reading as lexicon
from gandoctor.lexicon.book import squeezed
from gandoctor.model.belief import Curve, Cuts, Measure, RuleWeight, Weights
from gandoctor.model.measured import RuleRecord, Share, Tallies
from gandoctor.model.roles import Role
from gandoctor.model.rules import (
    BEST_STEP,
    SEVERITIES,
    SYMPTOMS,
    Cause,
    Change,
    Clause,
    FalsePositive,
    Measured,
    Reference,
    Remedy,
    Rule,
    Rulebook,
    Term,
)
from gandoctor.model.signals import FAMILIES, StepUnit
from gandoctor.page import Page, default_folder, one_of, read_yaml

__all__ = [
    "MEASURED",
    "ROOMS",
    "TEST_SUFFIX",
    "WEIGHTS",
    "FilePage",
    "RulebookError",
    "Shelf",
    "Words",
    "default_folder",
    "files",
    "load",
    "overclaimed",
    "read_yaml",
    "vocabulary",
]

KINDS: Final[tuple[Literal["symptom", "risk"], ...]] = ("symptom", "risk")
STATUSES: Final[tuple[Literal["preview", "stable", "retired"], ...]] = (
    "preview",
    "stable",
    "retired",
)
EFFORTS: Final[tuple[Literal["config", "code", "data"], ...]] = ("config", "code", "data")
RISKS: Final[tuple[Literal["safe", "trial", "advice"], ...]] = ("safe", "trial", "advice")
ROOMS: Final = ("symptoms", "risks", "measures", "causes", "remedies")
TEST_SUFFIX: Final = ".test.yaml"
MAX_FILES: Final = 5000

# What a rule may ask of the game before it asks anything of the curves; None: any word.
APPLIES_TO: Final[dict[str, tuple[str, ...] | None]] = {
    "family": FAMILIES,
    "reduction": ("sum", "mean", "unknown"),
    "led_by": ("something", "nothing"),
    "unit": get_args(StepUnit),
}
_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_PLACES: Final = frozenset({"share", "first", "last", "onset", "unit"})
_CLAUSE_KEYS: Final = ("where", "given", "over", "for", "says")
_TERM_KEYS: Final = ("if", "given", "over", "for", "weight", "says")
_RULE_KEYS: Final = (
    "id", "kind", "symptom", "title", "severity", "status", "since", "applies_to", "why",
    "evidence", "when",
    "false_positives", "references", "confidence", "settings", "log_it", "stable_because", "group",
    "nats",
)  # fmt: skip
_CAUSE_KEYS: Final = (
    "id", "title", "story", "prior", "common", "explains", "for", "against", "settings",
    "deeper_than", "references",
)  # fmt: skip
_REMEDY_KEYS: Final = (
    "id", "title", "treats", "effort", "risk", "only_if", "not_with", "changes", "expect", "why",
    "snippet",
    "references",
)  # fmt: skip
_CHANGE_KEYS: Final = ("setting", "multiply", "to", "of", "low", "high", "need", "if_named")
# How often rules and causes were right and remedies cured: counted by a benchmark, no page of its
# own.
MEASURED: Final = "measured.yaml"
WEIGHTS: Final = "weights.yaml"
CUTS: Final = ("failing", "seen", "warning", "healthy")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Words:
    """The closed lists that rules draw their names from.

    Attributes
    ----------
    roles : Mapping of str to Role
    settings : Mapping of str to str
        Name to kind: ``number``, ``word``, ``flag`` or ``any``.
    facts : frozenset of str
    values : Mapping of str to Mapping of str to str
        For settings that are words of a closed list: each spelling, and the word it stands for.
    """

    roles: Mapping[str, Role]
    settings: Mapping[str, str]
    facts: frozenset[str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def scope(self, flags: Iterable[str] = ()) -> Scope:
        """The names that a test may use; a role of the validation split is ``val_<role>``."""
        kinds = self.settings
        return Scope(
            signals=frozenset(self.roles) | {f"val_{r}" for r in self.roles},
            numbers=self.facts | {n for n, k in kinds.items() if k != "word"},
            words=frozenset(n for n, k in kinds.items() if k in ("word", "any")),
            flags=frozenset(f.replace("-", "_") for f in flags),
            switches=frozenset(n for n, k in kinds.items() if k == "flag"),
        )


def load(
    folders: Sequence[Path], *, rules_only: bool = False, known: Rulebook | None = None
) -> Rulebook:
    """Read all rules, causes and remedies of some folders.

    Parameters
    ----------
    folders : sequence of Path
        `default_folder` first, then the user's own; names they use come from the ``vocabulary/`` of
        all of them, or of `default_folder` where none has one.
    rules_only : bool
        Leave causes, remedies and what was measured unread: a healthy run needs none of them.
    known : Rulebook, optional
        What was read of `default_folder` alone with `rules_only`: its rules need not be read again.

    Returns
    -------
    Rulebook
        Sorted by kind and id. Its digest is that of all files in any case.

    Raises
    ------
    RulebookError
        With every fault that was found.
    """
    book = rule_cache.checked(lambda: _load(folders, known, rules_only=rules_only))
    rule_cache.keep(lambda: (path.read_bytes() for path in _paths(default_folder())))
    return book


def _load(folders: Sequence[Path], known: Rulebook | None, *, rules_only: bool) -> Rulebook:
    faults: list[RuleError] = []
    words = vocabulary(folders, faults)
    judging = ("symptoms", "risks", "measures", "")
    rooms = judging if rules_only else ("causes", "remedies") if known else ("", *ROOMS)
    pages = [page for page in _pages(folders, faults, rooms) if page is not None]
    rule_ids = [p.id for p in pages if p.room in ("symptoms", "risks")] + list(
        known.by_id if known else ()
    )
    own, full = words.scope(), words.scope([*SYMPTOMS, *rule_ids])
    rules = [
        r
        for p in pages
        if p.room in ("symptoms", "risks")
        for r in [_tried(p, _rule, own, words)]
        if r
    ]
    measures = [
        m for p in pages if p.room == "measures" for m in [_tried(p, _measure, own, words)] if m
    ]
    weights = known.weights if known else _weights(folders, measures, faults)
    causes = [c for p in pages if p.room == "causes" for c in [_tried(p, _cause, full, words)] if c]
    remedies = [
        r for p in pages if p.room == "remedies" for r in [_tried(p, _remedy, full, words)] if r
    ]
    _once_each(pages, faults)
    _known_causes(pages, faults)
    counted = [] if rules_only else list(_counted(folders, faults))
    tallies, shares = _tallies(counted), _shares(counted)
    measured, unseen = (_cures(counted, key, pages) for key in ("cures", "cures_unseen"))
    if faults:
        raise RulebookError(sorted(faults, key=lambda f: f.where))
    rules += known.rules if known else ()
    rules = [replace(r, measured=tallies[r.id]) if r.id in tallies else r for r in rules]
    causes = [replace(c, measured=shares[c.id]) if c.id in shares else c for c in causes]
    rules.sort(key=lambda r: (r.kind != "symptom", r.id))
    return Rulebook(
        rules=tuple(rules),
        causes=tuple(sorted(causes, key=lambda c: c.id)),
        remedies=tuple(sorted(remedies, key=lambda r: r.id)),
        digest=known.digest if known else _digest(folders),
        by_id={r.id: r for r in rules},
        measured=measured,
        unseen=unseen,
        measures=known.measures if known else tuple(sorted(measures, key=lambda m: m.id)),
        weights=weights,
    )


class Shelf:
    """A rule book that is read as far as it is needed.

    A healthy run needs no causes and no remedies.

    Parameters
    ----------
    folders : sequence of Path
        As for `load`. Folders that are not ours are read whole at once: their faults have to be
        said.
    customise : callable, optional
        What the user's preferences make of a book.
    """

    def __init__(
        self, folders: Sequence[Path], customise: Callable[[Rulebook], Rulebook] = lambda book: book
    ) -> None:
        self._folders = folders
        self._customise = customise
        self._lean = len(folders) == 1
        self._read = load(folders, rules_only=self._lean)
        self.judging = customise(self._read)

    @functools.cached_property
    def whole(self) -> Rulebook:
        """The book with causes, remedies and what was counted."""
        if not self._lean:
            return self.judging
        return self._customise(load(self._folders, known=self._read))


# ---------------------------------------------------------------- files


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every rule, cause and remedy file of a folder: (room, path), in order.

    Tests and vocabulary left out.

    The room of a file that stands in no room is the empty string.
    """
    found = [("", p) for p in folder.glob("*.y*ml") if p.name not in (MEASURED, WEIGHTS)]
    found += [(room, p) for room in ROOMS for p in (folder / room).glob("*.y*ml")]
    for room, path in sorted(found, key=lambda f: (f[0], f[1].name)):
        if (
            path.suffix in (".yaml", ".yml")
            and not path.name.endswith((TEST_SUFFIX, ".test.yml"))
            and path.is_file()
        ):
            yield room, path


def _paths(folder: Path) -> list[Path]:
    """All that a rule book is made of."""
    paths = [p for _, p in files(folder)] + sorted((folder / "vocabulary").glob("*.yaml"))
    return paths + [p for p in (folder / MEASURED, folder / WEIGHTS) if p.is_file()]


def _digest(folders: Sequence[Path]) -> str:
    """Twelve hexadecimal digits that name this very state of rules and vocabulary."""
    state = hashlib.sha256()
    for folder in folders:
        for path in _paths(folder):
            state.update(
                path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return state.hexdigest()[:12]


# ---------------------------------------------------------------- the closed lists


def vocabulary(folders: Sequence[Path], faults: list[RuleError] | None = None) -> Words:
    """The names that rules may use: roles, settings and facts of all folders.

    Parameters
    ----------
    folders : sequence of Path
    faults : list of RuleError, optional
        Faults are added to it; without it they are raised.
    """
    read = lexicon.load(folders) if faults is None else lexicon.gather(folders, faults)
    settings: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for name, entry in read.settings.items():
        for each in [name, f"{name}_d", f"{name}_g"] if entry.per_network else [name]:
            settings[each] = entry.kind
            if entry.words:
                values[each] = {**entry.words, **{squeezed(w): w for w in entry.words.values()}}
    return Words(read.roles, settings, frozenset(read.facts), values)


# ---------------------------------------------------------------- one file


def _pages(
    folders: Sequence[Path], faults: list[RuleError], rooms: Sequence[str]
) -> Iterator[FilePage | None]:
    count = 0
    for folder in folders:
        for room, path in files(folder):
            if room not in rooms:
                continue
            count += 1
            if count > MAX_FILES:
                faults.append(RuleError(f"there are more than {MAX_FILES} rule files", folder.name))
                return
            yield _page(folder, room, path, faults)


class FilePage(Page):
    """A rule file: a page with the name, the room and the place of its file.

    Attributes
    ----------
    id : str
        The file's name, without its suffix.
    room : str
        One of `ROOMS`; empty where nothing tells.
    file : str
        Its path below the folder of rules.
    """

    def __init__(  # noqa: PLR0917 - a page's three, and a file's three
        self,
        data: Mapping[str, Any],
        where: str,
        faults: list[RuleError],
        id_: str,
        room: str,
        file: str,
    ) -> None:
        super().__init__(data, where, faults)
        self.id = id_
        self.room = room
        self.file = file


def _page(folder: Path, room: str, path: Path, faults: list[RuleError]) -> FilePage | None:
    file = path.relative_to(folder).as_posix()
    where = f"{folder.name}/{file}"
    try:
        data = read_yaml(path, where)
    except RuleError as e:
        faults.append(e)
        return None
    if not isinstance(data, dict):
        faults.append(RuleError("is no mapping", where, "a rule begins with `id: ...`"))
        return None
    page = FilePage(data, where, faults, path.stem, room or _room_of(data), file)
    if not page.room:
        page.fault(
            "kind",
            "nothing tells what this is",
            "`kind: symptom` or `kind: risk`; a cause has `explains`, a remedy `treats`",
        )
    if not _ID.fullmatch(path.stem):
        page.fault(
            "",
            f"`{path.name}` is no name for a rule",
            "write it in small letters, digits and single dashes",
        )
    if data.get("id") != path.stem:
        page.fault("id", f"`{data.get('id')}` is not the file's name", f"write `id: {path.stem}`")
    return page


def _room_of(data: Mapping[str, Any]) -> str:
    if data.get("kind") in ("symptom", "risk"):
        return f"{data['kind']}s"
    telling = {"explains": "causes", "treats": "remedies", "curve": "measures"}
    return next((room for key, room in telling.items() if key in data), "")


def _tried(page: FilePage, make: Any, scope: Scope, words: Words) -> Any:
    """The value of a page; None where it has a fault."""
    before = len(page.faults)
    made = make(page, scope, words)
    return made if len(page.faults) == before else None


def _once_each(pages: Sequence[FilePage], faults: list[RuleError]) -> None:
    seen: dict[str, str] = {}
    for page in pages:
        if page.id in seen:
            faults.append(
                RuleError(
                    f"`{page.id}` is taken by {seen[page.id]}",
                    f"{page.where}:id",
                    "ids are never reused",
                )
            )
        seen.setdefault(page.id, page.where)


def _known_causes(pages: Sequence[FilePage], faults: list[RuleError]) -> None:
    """Causes that others name: those deeper than others, those that remedies treat.

    And remedies not to go with.
    """
    named = (
        ("causes", "deeper_than", "causes"),
        ("remedies", "treats", "causes"),
        ("remedies", "not_with", "remedies"),
    )
    for room, key, of in named:
        known = frozenset(p.id for p in pages if p.room == of)
        for page in (p for p in pages if p.room == room):
            listed = page.data.get(key)
            unknown = (
                [str(n) for n in listed if str(n) not in known]
                if isinstance(listed, list | dict)
                else []
            )
            what = {"causes": "cause", "remedies": "remedy"}[of]
            faults += [
                RuleError(f"no {what} is called `{n}`", f"{page.where}:{key}", near(n, known))
                for n in unknown
            ]


# ---------------------------------------------------------------- clauses


def _clause(  # noqa: PLR0917 - two kinds of caller, each with all of it at hand
    page: Page, name: str, key: str, scope: Scope, words: Words, earlier: Sequence[str] | None
) -> Clause:
    """A clause of a rule, or a term of a cause.

    `earlier` clauses may be named in ``over: after CLAUSE``.
    """
    where: Expression | None = None
    if page.data.get(key) is not None:
        where = _compiled(page, key, lambda: compile_test(page.data[key], scope))
    given = _given(page, words)
    if page.data.get(key) is None and page.data.get("given") is None:
        page.fault(key, "there is nothing to test", f"give `{key}:`, `given:` or both")
    over = _compiled(page, "over", lambda: parse_window(page.data.get("over"))) or Window()
    if over.kind == "after_best":
        _compiled(page, "over", lambda: _series(over.of, scope))
    if over.kind == "after_clause" and over.of not in (earlier or ()):
        what = (
            f"`{over.of}` is no clause that stands before this one"
            if earlier is not None
            else "there are no clauses here"
        )
        page.fault("over", what, near(over.of, tuple(earlier or ())))
    for_ = _compiled(page, "for", lambda: parse_amount(page.data.get("for"))) or Amount()
    if where is not None and where.kind == "mask" and page.data.get("for") is None:
        page.fault(
            "for",
            "is missing: the test is decided at every step",
            "say how often it has to hold: `for: 80% of steps`",
        )
    if where is None or where.kind == "truth":
        if page.data.get("for") is not None and (where is not None or page.data.get(key) is None):
            page.fault("for", "the test is decided once, it has no steps to count", "drop `for`")
        if (
            page.data.get("over") is not None
            and where is not None
            and not where.signals
            and over.kind != "after_clause"
        ):
            page.fault("over", "the test looks at no signal, so it has no window", "drop `over`")
    says = page.text("says")
    _places(page, says, scope)
    return Clause(name, where, given, over, for_, says)


def _series(text: str, scope: Scope) -> Expression:
    made = compile_value(text, scope)
    if made.kind != "series" or made.tree.windowed:
        raise RuleError(
            f"`{text}` is no series of its own",
            hint="write `after best(g_loss)` or `after best(smooth(g_loss))`",
        )
    return made


def _compiled(page: Page, key: str, make: Any) -> Any:
    """What `make` gives; None and a fault at `key` where it fails."""
    try:
        return make()
    except RuleError as e:
        e.where = page.spot(key)
        page.faults.append(e)
        return None


def _given(page: Page, words: Words) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for name, allowed in page.mapping("given").items():
        kind = words.settings.get(name)
        key = f"given.{name}"
        if kind is None:
            page.fault(key, f"no setting is called `{name}`", near(name, frozenset(words.settings)))
            continue
        if kind == "number":
            page.fault(key, f"`{name}` is a number", f"test it: `{name} > ...`")
        listed = [_word(w) for w in (allowed if isinstance(allowed, list) else [allowed])]
        if not listed or any(w is None for w in listed):
            page.fault(key, "must be a word or a list of words")
        closed = words.values.get(name)
        meant = [_canonical(page, key, name, w, closed) for w in listed if w is not None]
        out[name] = tuple(dict.fromkeys(meant))
    return out


def _canonical(page: Page, key: str, name: str, word: str, closed: Mapping[str, str] | None) -> str:
    """The word that a setting has in the end, where its words are known."""
    if closed is None:
        return word
    if squeezed(word) not in closed:
        known = tuple(dict.fromkeys(closed.values()))
        page.fault(key, f"`{name}` is never `{word}`", near(word, known) or one_of(known))
    return closed.get(squeezed(word), word)


def _word(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    return value if isinstance(value, str) else None


def _places(page: Page, says: str, scope: Scope) -> None:
    """Every ``{place}`` of a sentence must be something that can be filled in."""
    for place in (m[1].strip() for m in _PLACE.finditer(says)):
        if place in _PLACES | scope.words | scope.switches:
            continue
        try:
            compile_value(place.removesuffix(":%"), scope)
        except RuleError as e:
            page.fault("says", f"nothing fills the place `{{{place}}}`: {e.what}", e.hint)


def _clauses(page: Page, scope: Scope, words: Words) -> tuple[Clause, ...]:
    made: list[Clause] = []
    for name, body in page.mapping("evidence", need=True).items():
        key = f"evidence.{name}"
        if (
            not name.isidentifier()
            or not name.isascii()
            or keyword.iskeyword(name)
            or name == "then"
        ):
            page.fault(
                key, f"`{name}` cannot be the name of a clause", "write a word, with underscores"
            )
        if not isinstance(body, dict):
            page.fault(key, "is no clause", "write `{where: ..., over: ..., for: ...}`")
            continue
        inner = page.at(key, body)
        inner.only(_CLAUSE_KEYS)
        made.append(_clause(inner, name, "where", scope, words, [c.name for c in made]))
    return tuple(made)


# ---------------------------------------------------------------- rules, causes, remedies


def _rule(page: FilePage, scope: Scope, words: Words) -> Rule:
    page.only(_RULE_KEYS)
    kind = page.choice("kind", KINDS)
    symptom = None
    if kind == "symptom":
        symptom = page.choice("symptom", SYMPTOMS)
    elif "symptom" in page.data:
        page.fault("symptom", "a risk has no symptom", "drop it, or write `kind: symptom`")
    if page.file.startswith(("symptoms/", "risks/")) and not page.file.startswith(kind):
        page.fault("kind", f"a {kind} in the wrong folder", f"move it to {kind}s/")
    clauses = _clauses(page, scope, words)
    names = [c.name for c in clauses]
    written = page.data.get("when", names[0] if len(names) == 1 else None)
    when = None
    if written is None:
        page.fault("when", "is missing", f"join the clauses: `{' and '.join(names) or 'a and b'}`")
    else:
        when = _compiled(page, "when", lambda: compile_when(written, names))
        idle = [
            n for n in names if when is not None and n not in when.names and not _used(n, clauses)
        ]
        for name in idle:
            page.fault("when", f"the clause `{name}` is never used", "name it here, or drop it")
    return Rule(
        id=page.id,
        kind=kind,
        symptom=symptom,
        title=page.text("title", need=True),
        severity=page.choice("severity", SEVERITIES, "low" if kind == "risk" else None),
        status=page.choice("status", STATUSES, "preview"),
        since=page.text("since"),
        applies_to=_applies_to(page),
        why=page.text("why", need=True),
        clauses=clauses,
        when=when or compile_when("x", ["x"]),  # never seen: a rule with a fault is dropped
        false_positives=tuple(_false_positives(page)),
        references=_references(page),
        confidence=page.choice("confidence", SEVERITIES, "medium"),
        settings=page.names("settings", frozenset(words.settings), "setting"),
        log_it=page.text("log_it"),
        file=page.file,
        stable_because=page.text("stable_because"),
        group=page.text("group"),
        nats=page.number("nats", low=0.0) if "nats" in page.data else None,
    )


_MEASURE_KEYS: Final = (
    "id", "group", "title", "value", "over", "applies_to", "scale", "curve", "low", "high", "why",
    "says", "references",
)  # fmt: skip
SCALES: Final[tuple[Literal["linear", "log"], ...]] = ("linear", "log")


def _measure(page: FilePage, scope: Scope, words: Words) -> Measure:
    page.only(_MEASURE_KEYS)
    value = _compiled(page, "value", lambda: compile_value(page.text("value", need=True), scope))
    if value is not None and value.kind != "number":
        page.fault(
            "value",
            f"`{value.text}` is a {value.kind}, no number",
            "write `median(d_loss) / chance_d`",
        )
    over = _compiled(page, "over", lambda: parse_window(page.data.get("over"))) or Window()
    if over.kind == "after_clause":
        page.fault("over", "there are no clauses here", "write `last 50%`")
    says = page.text("says", need=True)
    if "{value}" not in says and says:
        page.fault("says", "does not say the number", "write `{value}` where it belongs")
    for side in ("low", "high"):
        if page.text(side) and page.text(side) not in SYMPTOMS:
            page.fault(
                side, f"no symptom is called `{page.text(side)}`", near(page.text(side), SYMPTOMS)
            )
    return Measure(
        id=page.id,
        group=page.text("group", need=True),
        title=page.text("title", need=True),
        value=value or compile_value("1", scope),  # never seen: a measure with a fault is dropped
        over=over,
        curve=_curve(page),
        applies_to=_applies_to(page),
        why=page.text("why", need=True),
        says=says,
        low=page.text("low"),
        high=page.text("high"),
        references=_references(page),
        file=page.file,
    )


def _curve(page: Page) -> Curve:
    """Knots and their nats, ``[[0, 1.0], [0.5, -0.3]]``."""
    knots: list[tuple[float, float]] = []
    given = page.data.get("curve")
    for i, knot in enumerate(given if isinstance(given, list) else ()):
        pair = knot if isinstance(knot, list) else []
        numbers = [
            float(v)
            for v in pair
            if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
        ]
        if len(pair) != 2 or len(numbers) != 2:
            page.fault(
                f"curve[{i}]", f"`{knot}` is no knot", "write a number and its nats: `[0.5, -0.3]`"
            )
        else:
            knots.append((numbers[0], numbers[1]))
    rising = all(a[0] < b[0] for a, b in itertools.pairwise(knots))
    if len(knots) < 2 or not rising:
        page.fault(
            "curve", "needs two knots at least, in rising order", "write `[[0, 1.0], [0.5, -0.3]]`"
        )
        knots = [(0.0, 0.0), (1.0, 0.0)]
    scale = page.choice("scale", SCALES, "linear")
    return Curve(tuple(k for k, _ in knots), tuple(n for _, n in knots), scale)


def _weights(
    folders: Sequence[Path], measures: Iterable[Measure], faults: list[RuleError]
) -> Weights:
    """Fitted weights; of several folders the last that has them.

    What is not there any more does no harm.
    """
    found = Weights()
    knots = {m.id: len(m.curve.knots) for m in measures}
    for folder in folders:
        path, where = folder / WEIGHTS, f"{folder.name}/{WEIGHTS}"
        if not path.is_file():
            continue
        try:
            data = read_yaml(path, where)
        except RuleError as e:
            faults.append(e)
            continue
        if not isinstance(data, dict):
            faults.append(RuleError("is no mapping", where, "it is written by a benchmark"))
            continue
        page = Page(data, where, faults)
        page.only(("about", "base", "cuts", "measures", "rules"))
        fitted = dict(_entries(page, "measures"))
        found = Weights(
            base=page.number("base", 0.0),
            measures={m: _nats(inner, knots.get(m)) for m, inner in fitted.items()},
            rules={r: _rule_weight(inner) for r, inner in _entries(page, "rules")},
            cuts=_cuts(page),
            cases={m: _cases(inner, "cases") for m, inner in fitted.items()},
        )
    return found


def _rule_weight(page: Page) -> RuleWeight:
    page.only(("holds", "clear", "fired", "asked"))
    return RuleWeight(
        page.number("holds"), page.number("clear"), _cases(page, "fired"), _cases(page, "asked")
    )


def _cases(page: Page, key: str) -> Share:
    """Runs that a weight rests on, and how many of those had failed.

    Where it does not say, none.
    """
    inner = page.at(key, page.mapping(key))
    inner.only(("runs", "failed", "interval"))
    failed, runs = (inner.number(name, 0.0, low=0.0) for name in ("failed", "runs"))
    if failed > runs or failed != int(failed) or runs != int(runs):
        inner.fault("failed", f"{failed:g} of {runs:g} runs cannot be")
        return Share(0, 0)
    return Share(int(failed), int(runs))


def _cuts(page: Page) -> Cuts:
    inner = page.at("cuts", page.mapping("cuts"))
    inner.only(CUTS)
    usual = Cuts()
    made = Cuts(**{name: inner.number(name, getattr(usual, name)) for name in CUTS})
    if not (
        0 <= made.healthy <= made.warning <= made.failing <= 1 and made.healthy <= made.seen <= 1
    ):
        page.fault("cuts", "are in no order", "write 0 <= healthy <= warning <= failing <= 1")
    return made


def _nats(page: Page, knots: int | None) -> tuple[float, ...]:
    """Nats of a measure, as many as its curve has knots (None: no such measure, any number)."""
    page.only(("nats", "cases"))
    listed = page.data.get("nats")
    numbers = [
        float(v)
        for v in (listed if isinstance(listed, list) else ())
        if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
    ]
    if not isinstance(listed, list) or len(numbers) != len(listed):
        page.fault("nats", "must be a list of numbers", "it is written by a benchmark")
    elif knots is not None and len(numbers) != knots:
        page.fault(
            "nats",
            f"has {len(numbers)} numbers, the measure's curve {knots} knots",
            "fit the weights anew",
        )
    return tuple(numbers)


def _used(name: str, clauses: Sequence[Clause]) -> bool:
    return any(c.over.kind == "after_clause" and c.over.of == name for c in clauses)


def _applies_to(page: Page) -> dict[str, tuple[str, ...]]:
    inner = page.at("applies_to", page.mapping("applies_to"))
    inner.only(tuple(APPLIES_TO))
    return {k: inner.names(k, APPLIES_TO[k], k) for k in inner.data if k in APPLIES_TO}


def _false_positives(page: Page) -> Iterator[FalsePositive]:
    for entry in page.items("false_positives"):
        entry.only(("when", "do"))
        yield FalsePositive(entry.text("when", need=True), entry.text("do", need=True))


def _references(page: Page) -> tuple[Reference, ...]:
    made = []
    for entry in page.items("references"):
        entry.only(("url", "says"))
        made.append(Reference(entry.text("url", need=True), entry.text("says", need=True)))
    return tuple(made)


def _cause(page: FilePage, scope: Scope, words: Words) -> Cause:
    page.only(_CAUSE_KEYS)
    common = page.data.get("common", False)
    if not isinstance(common, bool):
        page.fault(
            "common", "is neither true nor false", "true where symptoms alone are reason enough"
        )
    explains = page.at("explains", page.mapping("explains", need=True))
    for name in explains.data:
        if name not in SYMPTOMS:
            explains.fault(
                name, f"no symptom is called `{name}`", near(name, SYMPTOMS) or one_of(SYMPTOMS)
            )
    return Cause(
        id=page.id,
        title=page.text("title", need=True),
        story=page.text("story", need=True),
        explains={name: explains.number(name, low=0.0) for name in explains.data},
        for_=_terms(page, "for", scope, words),
        against=_terms(page, "against", scope, words),
        settings=page.names("settings", frozenset(words.settings), "setting"),
        deeper_than=page.names("deeper_than", None),
        prior=page.number("prior", 0.0),
        common=bool(common),
        references=_references(page),
        file=page.file,
    )


def _terms(page: Page, key: str, scope: Scope, words: Words) -> tuple[Term, ...]:
    made = []
    for i, entry in enumerate(page.items(key)):
        entry.only(_TERM_KEYS)
        clause = _clause(entry, f"{key}_{i}", "if", scope, words, None)
        made.append(Term(clause, entry.number("weight", low=0.0), clause.says))
    return tuple(made)


def _remedy(page: FilePage, scope: Scope, words: Words) -> Remedy:
    page.only(_REMEDY_KEYS)
    only_if = []
    for i, entry in enumerate(page.items("only_if")):
        entry.only(("if", "given", "over", "for"))
        only_if.append(_clause(entry, f"only_if_{i}", "if", scope, words, None))
    return Remedy(
        id=page.id,
        title=page.text("title", need=True),
        treats=_treats(page),
        effort=page.choice("effort", EFFORTS),
        risk=page.choice("risk", RISKS),
        only_if=tuple(only_if),
        changes=tuple(_change(entry, words) for entry in page.items("changes")),
        expect=page.text("expect", need=True),
        why=page.text("why"),
        snippet=str(page.data.get("snippet") or ""),
        references=_references(page),
        file=page.file,
        not_with=page.names("not_with", None),
    )


def _treats(page: Page) -> dict[str, float]:
    value = page.data.get("treats")
    if isinstance(value, dict):
        inner = page.at("treats", {str(k): v for k, v in value.items()})
        return {name: inner.number(name, low=0.0) for name in inner.data}
    if not value:
        page.fault("treats", "is missing", "name the causes that it treats")
    return dict.fromkeys(page.names("treats", None), 1.0)


def _change(page: Page, words: Words) -> Change:
    page.only(_CHANGE_KEYS)
    known = frozenset(words.settings)
    setting = page.text("setting", need=True)
    of = page.text("of")
    for key, name in (("setting", setting), ("of", of)):
        if name and name not in known and not (key == "of" and name == BEST_STEP):
            page.fault(key, f"no setting is called `{name}`", near(name, known))
    to = page.data.get("to")
    relative = page.data.get("multiply") is not None or of
    if (to is not None) == bool(relative):
        page.fault(
            "to",
            "the new value is not said, or said twice",
            "give `to`, or `multiply` and / or `of`",
        )
    if isinstance(to, dict | list):
        page.fault("to", "must be a number, a word, true or false")
        to = None
    return Change(
        setting=setting,
        multiply=page.number("multiply") if page.data.get("multiply") is not None else None,
        of=of,
        to=float(to) if isinstance(to, int) and not isinstance(to, bool) else to,
        low=page.number("low") if page.data.get("low") is not None else -math.inf,
        high=page.number("high") if page.data.get("high") is not None else math.inf,
        need=page.choice("need", (True, False), False),
        if_named=page.choice("if_named", (True, False), False),
    )


# ---------------------------------------------------------------- what was measured


def overclaimed(rules: Iterable[Rule]) -> dict[str, str]:
    """Symptom rules that claim more than was measured, each with why.

    A rule is stable where, of the runs it fired on, those that failed have a lower 95 % bound of
    `ENOUGH`, or where `stable_because` says what shows it instead. It is held with high confidence
    where that was seen in `CASES_FOR_HIGH` cases.
    """
    found: dict[str, str] = {}
    for rule in (r for r in rules if r.kind == "symptom"):
        told = rule.measured or Tallies()
        if rule.status == "stable" and not (told.proven or rule.stable_because):
            found[rule.id] = f"is stable, but {told}"
        elif rule.confidence == "high" and not told.well_proven:
            found[rule.id] = f"is held with high confidence, but {told}"
    return found


# What is counted of a rule, and on which sets of runs. Counts of rules and causes that are gone do
# no harm.
_COUNTS: Final = ("fired", "on_failed", "right", "had", "could")
_SETS: Final = ("train", "test", "fresh", "samples")


def _counted(folders: Sequence[Path], faults: list[RuleError]) -> Iterator[Page]:
    """The files of measured figures.

    What a later folder says of a rule goes before what an earlier one says.
    """
    for folder in folders:
        path, where = folder / MEASURED, f"{folder.name}/{MEASURED}"
        if not path.is_file():
            continue
        try:
            data = read_yaml(path, where)
        except RuleError as e:
            faults.append(e)
            continue
        if not isinstance(data, dict):
            faults.append(RuleError("is no mapping", where, "it is written by a benchmark"))
            continue
        page = Page(data, where, faults)
        page.only(("runs", "rules", "causes", "cures", "cures_unseen"))
        yield page


def _entries(page: Page, key: str) -> Iterator[tuple[str, Page]]:
    """The mappings below a key, by their names."""
    outer = page.at(key, page.mapping(key))
    yield from ((name, outer.at(name, outer.mapping(name, need=True))) for name in outer.data)


def _counts(page: Page, key: str, names: Sequence[str]) -> tuple[int, ...]:
    """Whole numbers of runs under some names, all needed, in their order."""
    inner = page.at(key, page.mapping(key, need=True))
    inner.only(names)
    numbers = [inner.number(name, low=0.0) for name in names]
    for name, number in zip(names, numbers, strict=True):
        if number != int(number):
            inner.fault(name, f"{number:g} is no number of runs")
    return tuple(int(n) for n in numbers)


def _share(page: Page, key: str, part: str, whole: str) -> Share:
    k, n = _counts(page, key, (part, whole))
    if k > n:
        page.fault(f"{key}.{part}", f"{k} of {n} cannot be")
    return Share(min(k, n), n)


def _tallies(counted: Sequence[Page]) -> dict[str, Tallies]:
    """How each rule did on each set of runs."""
    out: dict[str, Tallies] = {}
    for page in counted:
        told = page.at("runs", page.mapping("runs"))
        told.only(_SETS)
        runs = {name: _share(told, name, "failed", "runs").n for name in told.data if name in _SETS}
        for rule, inner in _entries(page, "rules"):
            inner.only(tuple(runs))
            sets = {}
            for name in (n for n in inner.data if n in runs):
                fired, failed, right, had, could = _counts(inner, name, _COUNTS)
                if not (
                    right <= failed <= fired <= runs[name]
                    and right <= had <= runs[name]
                    and could <= had
                ):
                    inner.fault(
                        name,
                        "the counts do not fit together",
                        "right <= on_failed <= fired; right, could <= had",
                    )
                sets[name] = RuleRecord(runs[name], fired, failed, right, had, could)
            out[rule] = Tallies(**sets)
    return out


def _shares(counted: Sequence[Page]) -> dict[str, Share]:
    """How often each cause was right when it was named first, on the zoo."""
    out: dict[str, Share] = {}
    for page in counted:
        for cause, inner in _entries(page, "causes"):
            inner.only(_SETS)
            shares = [
                _share(inner, name, "right", "first")
                for name in _SETS
                if name in inner.data and name != "samples"
            ]
            out[cause] = sum(shares, Share(0, 0))
    return out


def _cures(counted: Sequence[Page], key: str, pages: Sequence[FilePage]) -> Measured:
    """How often each remedy cured each cause."""
    known = {
        room: frozenset(p.id for p in pages if p.room == room) for room in ("remedies", "causes")
    }
    out: dict[str, dict[str, tuple[int, int]]] = {}
    for page in counted:
        for remedy, inner in _entries(page, key):
            if remedy not in known["remedies"]:
                inner.fault("", f"no remedy is called `{remedy}`", near(remedy, known["remedies"]))
            for cause in map(str, inner.data):
                if cause not in known["causes"]:
                    inner.fault(
                        cause, f"no cause is called `{cause}`", near(cause, known["causes"])
                    )
                share = _share(inner, cause, "cured", "of")
                out.setdefault(remedy, {})[cause] = (share.k, share.n)
    return out
