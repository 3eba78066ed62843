"""Readers of training logs, one format a file, and the discovery of runs.

A parser is a module of this package (or an object under the entry-point group ``gandoctor.parsers``) that has the
three names of `Parser`. Modules whose name begins with an underscore are helpers; `configs` reads configuration files.
"""

from __future__ import annotations

from gandoctor.parsers._discovery import discover
from gandoctor.parsers._registry import Parser, choose, is_log, iter_parsers, read_log

__all__ = ["Parser", "choose", "discover", "is_log", "iter_parsers", "read_log"]
