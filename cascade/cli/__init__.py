"""The commands and their options.

It may import: runtime, config, cluster, scoring, bundle, alignment, recognition, pipeline,
inventory, drafting, sweeps, html, streaming, serving.
"""
