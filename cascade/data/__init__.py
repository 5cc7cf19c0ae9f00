"""Stage 0: every utterance is checked, and Lhotse manifests are written.

It may import: runtime, config, corpora, text.
"""
