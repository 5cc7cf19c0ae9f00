"""Stage 4: phones and words of every test utterance, with times and confidences.

It may import: runtime, config, text, lm, features, model.
"""
