"""The command `serve`: streams and recordings recognised over WebSocket and HTTP, and a page.

It may import: runtime, config, corpora, recognition, streaming.
"""
