"""Stage 1: n-gram language models and decoding graphs.

It may import: runtime, config, text.
"""
