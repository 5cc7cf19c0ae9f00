"""Sweeps and searches: many runs of one recipe, and what they show.

It may import: runtime, config, scoring, report, pipeline.
"""
