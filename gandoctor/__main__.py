"""``python -m gandoctor``, and the installed command.

Little is imported here, so that Ctrl-C is heard early.
"""

from __future__ import annotations

import gc
from typing import NoReturn

from gandoctor import interrupts


def main() -> NoReturn:
    """Load the command line and run it."""
    interrupts.listen()
    # A command makes many values, keeps most of them, and is over soon: looking for rubbish each
    # time seven hundred have come finds nothing, a hundred times.
    gc.set_threshold(100_000)
    try:
        from gandoctor import cli

        cli.main()
    except BaseException:
        if interrupts.heard():
            interrupts.leave()
        raise


if __name__ == "__main__":
    main()
