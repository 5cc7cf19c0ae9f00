"""Stage 5: the tables, comparisons and learning curves of an experiment.

It may import: runtime, config, corpora, text, decoding, scoring.
"""
