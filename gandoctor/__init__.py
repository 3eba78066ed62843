"""gandoctor: what is wrong with this GAN training, since when, why, and what to change."""

__version__ = "0.1.0"
