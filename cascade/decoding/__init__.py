"""Stage 4: phones and words of every test utterance, with times and confidences.

Stage 3, too: the words of speech without transcripts, for systems with a teacher.

It may import: runtime, config, corpora, text, data, lm, features, model, scoring.
"""
