"""The command `align`: when each word and phone of recordings with their text is spoken.

It may import: runtime, config, corpora, text, data, features, decoding, bundle.
"""
