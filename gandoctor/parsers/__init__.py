"""Readers of training logs, one format a file, and the discovery of runs.

A stair: `runs` (from a path to runs) > `registry` (who reads a file) > `formats` (a module there is
a parser, as is an object under the entry-point group ``gandoctor.parsers``) > `printed` (the engine
of printed lines) > `records`, `rows`.
"""

from __future__ import annotations

from gandoctor.parsers.registry import Parser, choose, is_log, iter_parsers, read_log
from gandoctor.parsers.runs.discovery import discover

__all__ = ["Parser", "choose", "discover", "is_log", "iter_parsers", "read_log"]
