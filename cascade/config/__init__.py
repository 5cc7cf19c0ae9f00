"""What an experiment is: the keys of a recipe, their checks, and where its files are.

It may import: runtime.
"""
