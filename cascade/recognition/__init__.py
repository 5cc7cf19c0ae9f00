"""The commands `transcribe` and `score`: words of recordings, by a trained system or by a bundle.

It may import: runtime, config, corpora, text, data, lm, features, decoding, adaptation, scoring,
report, pipeline, bundle.
"""
