"""The command `transcribe`: the words of recordings, by an experiment's system or by a bundle.

It may import: runtime, config, corpora, lm, features, decoding, adaptation, report, pipeline,
bundle.
"""
