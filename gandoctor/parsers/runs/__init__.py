"""From a path to runs: which files are logs, which of them belong together, and what lies beside them."""
