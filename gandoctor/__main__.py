"""``python -m gandoctor``."""

from gandoctor.cli import main

main()
