"""The form of a bundle, a model that runs elsewhere: its files, their checks, its network.

It may import: runtime, config.
"""
