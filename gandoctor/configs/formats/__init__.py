"""Config formats, one a module."""
