"""YAML -> rules, causes and remedies.

All faults at once, each with file:key and what would be right.

A folder is laid out as ``rules/``: ``evidence/``, ``symptoms/``, ``risks/``, ``measures/``,
``causes/``, ``remedies/`` and ``vocabulary/``. A user's own folder may have any of them, or hold
its files side by side; what a file is then shows in its keys.

The rooms: `folder` (which files there are), `names` (the words that may be used), `clauses` and
`parts` (what several kinds of files have), `rules`, `measures`, `causes`, `remedies` (one page ->
one value), `measured` and `weights` (what was counted and fitted), `shelf` (all of it, read as far
as it is needed).
"""

from gandoctor.errors import RulebookError
from gandoctor.page import default_folder, read_yaml
from gandoctor.rulebook.folder import (
    MEASURED,
    ROOMS,
    TEST_SUFFIX,
    WEIGHTS,
    FilePage,
    files,
)
from gandoctor.rulebook.names import Words, vocabulary
from gandoctor.rulebook.shelf import Shelf, load

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
    "read_yaml",
    "vocabulary",
]
