"""From a name to words: splitting, known words glued together, phrases."""

from __future__ import annotations

import functools
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Names longer than this are no metric names; what follows is passed over.
LONGEST: Final = 300
_UNDER_FAKE: Final = late_pattern(r"(?<![A-Za-z])D_?G_?z_?(?P<k>\d?)(?![A-Za-z])")
_UNDER_REAL: Final = late_pattern(
    r"(?<![A-Za-z])D_?x(?P<rest>_(?:val|test|train|valid)\w*)?(?![A-Za-z_])"
)
_WORD: Final = late_pattern(
    r"[A-Za-z]2[A-Za-z](?![a-z])"  # a2b, x2x
    r"|\d+[dD](?![A-Za-z])"  # 2d, 3D
    r"|[LlRr][1-3](?!\d)"  # l1, R1
    r"|[fF]0(?!\d)|[tT]\d(?!\d)"
    r"|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+"
    r"|\d+"
    r"|[^\W\d_A-Za-z]+"  # other scripts
)
_SPLIT: Final = late_pattern(r"[/\\]+|(?<=\S)::(?=\S)")
_GLUE: Final = (
    "loss", "losses", "err", "cost", "lr", "grad", "acc", "score", "norm", "penalty", "optimizer",
    "opt", "optim",
    "real",
    "fake", "adv",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """A name taken apart.

    Attributes
    ----------
    tokens : tuple of str
        Lower-case words in order, phrases joined.
    leaf : tuple of str
        Those of the last part of the path that is not just a split or an index.
    parts : tuple of tuple of str
        Those of each part of the path.
    """

    tokens: tuple[str, ...]
    leaf: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Which concepts a word carries.

    Attributes
    ----------
    concepts : Mapping of str to tuple of str
        Word to its concepts.
    phrases : Mapping of tuple of str to str
        Words that stand together, and the one word they become.
    d, g : frozenset of str
        The words that name D, and those that name G.
    """

    concepts: Mapping[str, frozenset[str]]
    phrases: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    d: frozenset[str] = frozenset()
    g: frozenset[str] = frozenset()

    def of(self, token: str) -> frozenset[str]:
        """Concepts of a word; none for an unknown one."""
        return self.concepts.get(token, frozenset())

    def take_apart(self, name: str) -> Words:
        """Split a name into words."""
        spelled_out = self._spelled_out(name[:LONGEST])
        parts = [tuple(self._words(part)) for part in _SPLIT.split(spelled_out)]
        parts = [p for p in parts if p]
        leaf: tuple[str, ...] = ()
        for part in reversed(parts):
            leaf = part
            if any(not t.isdigit() and not self.of(t) & {"train", "val"} for t in part):
                break
        return Words(tuple(t for p in parts for t in p), leaf, tuple(parts))

    def _words(self, part: str) -> list[str]:
        found = [w for m in _WORD.finditer(part) for w in self._unglued(m[0].lower())]
        return self._joined(found)

    def _unglued(self, word: str) -> list[str]:
        """``discloss`` -> disc, loss; ``errd`` -> err, d. Only where both halves are known."""
        if word in self.concepts or len(word) < 4:
            return (
                [word]
                if word in self.concepts or word[:2] != "lr" or len(word) != 3
                else [word[:2], word[2]]
            )
        for glue in _GLUE:
            if word.endswith(glue) and word[: -len(glue)] in self.concepts:
                return [word[: -len(glue)], glue]
            if word.startswith(glue) and word[len(glue) :] in self.concepts:
                return [glue, word[len(glue) :]]
        return [word]

    def _joined(self, found: Sequence[str]) -> list[str]:
        out: list[str] = []
        i = 0
        while i < len(found):
            for n in (3, 2):
                phrase = self.phrases.get(tuple(found[i : i + n]))
                if phrase is not None and i + n <= len(found):
                    out.append(phrase)
                    i += n
                    break
            else:
                out.append(found[i])
                i += 1
        return out

    def _spelled_out(self, name: str) -> str:
        if "(" in name:
            of_fake, of_other, of_real = _calls(self.d, self.g)
            name = of_fake.sub(" d offake ", name)
            name = of_other.sub(" d offake ", name)
            name = of_real.sub(lambda m: f" d ofreal {m['rest']} ", name)
        name = _UNDER_FAKE.sub(" d offake ", name)
        return _UNDER_REAL.sub(lambda m: f" d ofreal {m['rest'] or ''} ", name)


def either(words: Iterable[str]) -> str:
    """A pattern for any of some words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


@functools.lru_cache(maxsize=8)
def _calls(d: frozenset[str], g: frozenset[str]) -> tuple[re.Pattern[str], ...]:
    """D(G(z)), D(fake), D(x): names of the field, no function calls; they become one word each."""
    called = rf"(?<![A-Za-z])(?:c|{either(d)})\s*\(\s*"
    return (
        late_pattern(rf"{called}(?:{either(g)})\s*\(\s*z?\w*\s*\)\s*\)(?:_?\d)?", re.IGNORECASE),
        late_pattern(
            rf"{called}(?:{either(g)}|fake|gz|sr|x_?fake|x_?hat|x_?gen)\s*\)", re.IGNORECASE
        ),
        late_pattern(rf"{called}(?:x|real|hr|gt)(?P<rest>[_ ]?\w*)\s*\)", re.IGNORECASE),
    )
