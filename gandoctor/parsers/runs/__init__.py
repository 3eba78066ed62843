"""From a path to runs: which files are logs, which belong together, and what lies beside them."""
