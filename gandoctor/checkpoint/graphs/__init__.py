"""Graphs that files hold beside the weights: read as data, and run in numpy."""
