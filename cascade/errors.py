"""The one exception for what a user can put right."""


class UserError(Exception):
    """A mistake in a recipe, a corpus, a command line or on a disk.

    Its message is one or more complete sentences: which file or utterance, what is
    wrong, and what to do. The command line prints it without a traceback and exits
    with status 1.
    """
