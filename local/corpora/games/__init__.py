"""Speech of computer games in Debian's main archive: the corpus ``games_en``.

``games_en`` puts three games together. The other modules read one game or one kind of its files
each; they are no corpora.
"""
