"""The commands and their options.

It may import: runtime, config, scoring, bundle, alignment, recognition, pipeline, inventory,
drafting, sweeps, html, streaming, serving.
"""
