"""The one exception for what a user can put right, and what to say of a failing disk."""

import errno


class UserError(Exception):
    """A mistake in a recipe, a corpus, a command line or on a disk.

    Its message is one or more complete sentences: which file or utterance, what is
    wrong, and what to do. The command line prints it without a traceback and exits
    with status 1.
    """


def explain(error: OSError) -> str:
    """A sentence about a file that could not be read or written, and what to do.

    Files are written beside and renamed, so what stood there before is whole in any case.
    """
    where = f"{error.filename}: " if error.filename else ""
    what = f"{where}{error.strerror or error}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what} Nothing is lost: make room, and the same command goes on from here."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what} Make the folder writable, or choose another one with --exp."
    return what
