"""The command `phones`: which phones languages share.

It may import: runtime, config, corpora, text, report, pipeline.
"""
