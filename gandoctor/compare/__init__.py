"""``gandoctor compare``: did the change help? Two reports in, one `Comparison` out.

Neither of two losses in a game is better when it is lower, so losses are shown and have no say.
What has: the two verdicts, what quality was logged in both runs, and which symptoms came and went.
Where these disagree, where what was seen before could not be looked for after, or where a
difference is small for one run each, the answer is "no clear change".
"""

from gandoctor.compare.judge import compare
from gandoctor.compare.runs import run
from gandoctor.compare.saved import is_saved, reports_of

__all__ = ["compare", "is_saved", "reports_of", "run"]
