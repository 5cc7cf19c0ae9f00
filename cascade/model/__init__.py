"""The network, its CTC loss, and a trained model on disk.

It may import: runtime.
"""
