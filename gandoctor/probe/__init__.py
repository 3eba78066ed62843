"""A short probe of what a training left behind: its players, run on fixed noise and real data.

``gandoctor probe RUN`` asks an entry (``gandoctor_probe.py:build``) for the players, measures them
and has the figures judged by the same rules as a log. Needs PyTorch (the extra ``probe``), which is
imported only once something is to be measured.
"""

from __future__ import annotations

from gandoctor.probe.asked import Probe, Wishes
from gandoctor.probe.harvest import harvest
from gandoctor.probe.running import run

__all__ = ["Probe", "Wishes", "harvest", "run"]
