"""A process of a training that does as it is told, in a module that spawned processes import."""

import os
import signal
import time

from cascade.training.team import INTERRUPTED


def act(messages, waits, status, sender):
    """Send ``messages``, and end with ``status`` after so many seconds; end if asked to."""
    signal.signal(signal.SIGTERM, lambda *_: (sender.send(INTERRUPTED), os._exit(0)))
    for message in messages:
        sender.send(message)
    time.sleep(waits)
    os._exit(status)
