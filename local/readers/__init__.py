"""Readers of corpora that the user has on disk, one file a layout."""
