"""Stage 3: trains every system of a recipe.

It may import: runtime, config, corpora, text, data, features, model, bundle.
"""
