"""What words mean: the vocabulary's files, and names taken apart into words. Under the stages.

All of them may ask.
"""
