"""Acoustic models trained in parallel on two languages, with Kaldi-style recipes."""

__version__ = "0.1.0"
