"""Corpora that are fetched as packages, one file each."""
