"""The network, its CTC loss, greedy decoding, and a trained model on disk.

It may import: runtime.
"""
