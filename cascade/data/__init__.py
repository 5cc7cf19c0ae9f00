"""Stage 0: check every utterance and write Lhotse manifests.

It may import: runtime, config, corpora, text.
"""
