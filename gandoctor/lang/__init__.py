"""A small language over arrays: syntax, kinds, functions, windows, three-valued evaluation.

Knows nothing of GANs.
"""
