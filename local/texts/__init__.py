"""Free texts for language models, and spelling dictionaries."""
