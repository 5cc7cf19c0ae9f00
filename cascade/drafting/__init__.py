"""The command `new-recipe`: a recipe from folders of speech.

It may import: runtime, config, corpora, text, data, inventory.
"""
