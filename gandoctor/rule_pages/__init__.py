"""The rule book as markdown pages.

``gandoctor rules docs DIR``, one page a rule, measure, piece of shared evidence,
cause, remedy.

The pages say no more than the YAML files and the vocabulary do; they are written anew whenever
those change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor import api, rulebook, vocabulary
from gandoctor.errors import UsageError
from gandoctor.files import writing
from gandoctor.rule_pages.index import index
from gandoctor.rule_pages.pages import Pages

if TYPE_CHECKING:
    from gandoctor.api import Options
    from gandoctor.model.rules import Rule

MADE_BY: Final = "<!-- Written by `gandoctor rules docs`; change the YAML file, not this page. -->"
_NETWORKS: Final = {"_d": "D's", "_g": "G's"}


def write(folder: Path, options: Options) -> list[Path]:
    """Write all pages below a folder; pages of rules that are gone are taken away.

    Parameters
    ----------
    folder : Path
        Made where it is not there. Only its own folders and ``index.md`` are touched.
    options : Options
        Its `rules` are read beside the project's own.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    UsageError
        The folder cannot be written.
    """
    made = render(options)
    try:
        for room in rulebook.ROOMS:
            if (folder / room).is_symlink():
                raise UsageError(
                    "is a link, and what it leads to may be anybody's",
                    str(folder / room),
                    "remove it",
                )
            (folder / room).mkdir(parents=True, exist_ok=True)
            for old in (folder / room).glob("*.md"):
                if f"{room}/{old.name}" not in made and _is_ours(old):
                    old.unlink()
        for name, text in made.items():
            writing.write_text(folder / name, text)
    except OSError as e:
        raise UsageError(
            f"cannot be written ({e.strerror or e})", str(folder), "give a folder for the pages"
        ) from None
    return [folder / name for name in made]


def _is_ours(page: Path) -> bool:
    if page.is_symlink() or not page.is_file():  # to open a pipe would be to wait for ever
        return False
    with page.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline().strip() == MADE_BY


def render(options: Options) -> dict[str, str]:
    """Every page as text, by its path below the folder."""
    folders = api.rule_folders(options)
    book = rulebook.load(folders)
    words = vocabulary.load(folders)
    log_it = {role.name: role.log_it for role in words.roles.values()}
    pages = Pages(book, _meanings(words), log_it)
    made = {"index.md": index(pages)}
    made |= {f"{_room(r)}/{r.id}.md": pages.rule(r) for r in book.rules}
    made |= {f"measures/{m.id}.md": pages.measure(m) for m in book.measures}
    made |= {f"evidence/{e.id}.md": pages.evidence(e) for e in book.evidence}
    made |= {f"causes/{c.id}.md": pages.cause(c) for c in book.causes}
    made |= {f"remedies/{r.id}.md": pages.remedy(r) for r in book.remedies}
    return {name: f"{MADE_BY}\n" + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def _room(rule: Rule) -> str:
    return "symptoms" if rule.kind == "symptom" else "risks"


def _meanings(words: vocabulary.Vocabulary) -> dict[str, str]:
    """What every name that a rule may use stands for."""
    found = dict(words.facts)
    for name, entry in words.settings.items():
        found.setdefault(name, f"setting: {entry.doc}")
        if entry.per_network:
            found |= {
                name + end: f"setting: {entry.doc}, {whose}" for end, whose in _NETWORKS.items()
            }
    for name, role in words.roles.items():
        # A learning rate is a setting, and a signal where it was logged.
        both = f"{found[name]}; or the logged signal" if name in found else f"signal: {role.doc}"
        found[name] = both
        found.setdefault(f"val_{name}", f"signal: {role.doc}, on held-out data")
    return found
