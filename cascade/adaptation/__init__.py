"""Stage 4 for test sets with ``adapt``: recognition in two passes, adapted to each speaker.

It may import: runtime, config, features, decoding, training.
"""
