"""The format of a bundle, a model that runs elsewhere: its files, reading them, unpacking it.

It may import: runtime, config.
"""
