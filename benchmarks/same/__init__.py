"""Whether two states of the source say the same of the same runs, byte for byte."""
