"""Stage 2 and the data iterators: log-mel features, mean normalisation, augmentation, batches.

It may import: runtime, config, corpora, text.
"""
