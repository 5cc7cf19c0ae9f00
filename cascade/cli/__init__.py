"""The commands and their options.

It may import: runtime, config, scoring, bundle, recognition, pipeline, inventory, drafting, sweeps,
html.
"""
