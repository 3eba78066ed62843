"""gandoctor: what is wrong with this GAN training, since when, why, and what to change.

``analyze(path)`` gives a `Report` of one run, ``analyze_all(path)`` those of all below a folder;
``check(report)`` says whether CI should fail; ``before.compare(after)`` whether a change helped;
``read(path)`` gives the understood `Run` without a judgement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gandoctor.api import Options, analyze, analyze_all, check, read
    from gandoctor.errors import GandoctorError
    from gandoctor.model.report import Report
    from gandoctor.model.signals import Run

__version__ = "0.1.0"
__all__ = [
    "GandoctorError",
    "Options",
    "Report",
    "Run",
    "__version__",
    "analyze",
    "analyze_all",
    "check",
    "read",
]

_HOMES = {
    "GandoctorError": "gandoctor.errors",
    "Options": "gandoctor.api",
    "Report": "gandoctor.model.report",
    "Run": "gandoctor.model.signals",
    "analyze": "gandoctor.api",
    "analyze_all": "gandoctor.api",
    "check": "gandoctor.api",
    "read": "gandoctor.api",
}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `gandoctor --help` loads no numpy.
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
