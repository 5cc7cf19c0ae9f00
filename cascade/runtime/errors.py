"""The exception for mistakes that a user can fix, and messages for errors of the disk."""

import errno
import os
import select
import sys


class UserError(Exception):
    """A mistake in a recipe, a corpus, a command line or on a disk.

    Its message is one or more sentences: which file or utterance, what is wrong, and what
    to do. The command line prints it without a traceback and exits with status 1.
    """


def explain(error: OSError) -> str:
    """Return which file could not be read or written, why, and what to do.

    No file is half written: `cascade.runtime.files.replacing` renames complete ones.

    >>> explain(OSError(errno.ENOSPC, "No space left on device", "a.ark"))
    'a.ark: No space left on device. Nothing is lost: free some space and run the command again.'
    """
    where = f"{error.filename}: " if error.filename else ""
    what = f"{where}{error.strerror or error}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what} Nothing is lost: free some space and run the command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what} Change the permissions of the folder, or name another."
    return what


def nobody_reads() -> bool:
    """Whether the program that read the output has ended, such as ``head``."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python tries again at its end
    return True
