"""Stage 7: pack a system into a bundle, as ONNX files with a model card.

It may import: runtime, config, corpora, text, lm, features, model, decoding, alignment, bundle.
"""
