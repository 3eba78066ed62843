"""The zoo's second half: convolutional GANs on pictures of 28-32 pixels, drawn at run time.

``train`` makes one neutral record a run; ``judge`` says from its measurements how it turned out;
``houses`` write the logs that different code bases would have left of the very same training.
"""
