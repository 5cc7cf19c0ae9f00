"""What a corpus is, its audio and feature archives, and its split into parts.

It may import: runtime, config.
"""
