"""The table of stages and their jobs.

It may import: runtime, config, corpora, features, training, bundle.
"""
