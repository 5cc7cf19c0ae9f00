"""The commands and their options.

It may import: runtime, config, corpora, features, decoding, scoring, report, pipeline, inventory,
drafting, sweeps.
"""
