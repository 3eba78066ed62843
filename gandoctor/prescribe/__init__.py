"""Causes x remedies x settings -> prescriptions.

Edits in the user's own keys, a diff, overrides, or why not.
"""

from __future__ import annotations

from gandoctor.prescribe.applying import Applied, apply
from gandoctor.prescribe.desk import NOTES, prescribe
from gandoctor.prescribe.ranking import cure_rate

__all__ = ["NOTES", "Applied", "apply", "cure_rate", "prescribe"]
