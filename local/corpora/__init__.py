"""Corpora that are fetched as packages, one file each.

``asterisk_prompts``, ``fillets`` and ``voices_en`` are no corpora: they hold what the corpora of
their kind do.
"""
