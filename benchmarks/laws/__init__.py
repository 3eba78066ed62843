"""Metamorphic laws: what must not change a report does not, and the future is not seen.

A run is written out again with one harmless thing changed, and analysed like any other run.
"""
