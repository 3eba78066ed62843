"""How long the readers take over inputs that grow.

Ordinary ones and those that are meant to make them slow.
"""
