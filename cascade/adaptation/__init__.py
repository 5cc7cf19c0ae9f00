"""Adapts a network to a speaker, without transcripts: stage 4 for test sets with ``adapt``.

It may import: runtime, config, text, features, model, decoding, training.
"""
