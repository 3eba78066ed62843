"""The formats of training logs.

Every module here is a parser (`gandoctor.parsers.registry.Parser`).
"""
