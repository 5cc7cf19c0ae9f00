"""Corpora that are fetched as packages, one file each.

``asterisk_prompts`` and ``fillets`` are no corpora: they hold what the corpora of their kind do.
"""
