"""Words, letters, phones and pronunciations.

It may import: runtime, config, corpora.
"""
