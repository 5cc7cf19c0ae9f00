"""Stage 5: error counts as NIST sclite has them, and how certain a difference is.

It may import: runtime.
"""
