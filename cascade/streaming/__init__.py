"""Recognition while somebody speaks, by a bundle: features, network and search step by step.

It may import: runtime, config, lm, features, model, decoding, bundle, recognition.
"""
