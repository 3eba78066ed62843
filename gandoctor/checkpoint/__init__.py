"""Checkpoints: read without running anything of them; their networks looked at and run in numpy."""
