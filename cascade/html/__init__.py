"""Stage 6: the report of an experiment, one HTML file with charts, utterances and their sound.

It may import: runtime, config, corpora, text, decoding, scoring, report, inventory.
"""
