"""A process that transcribes uploaded recordings, each in a process of its own.

A recording comes from anywhere. One that crashes a decoder of audio, or takes too long, ends
nothing but its own process. It stays in memory.
"""

import logging
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from cascade.config.sections import Features, Limits
from cascade.corpora import audio
from cascade.recognition import formats
from cascade.recognition.recordings import Recogniser, transcribe
from cascade.runtime.errors import UserError
from cascade.runtime.workers import die_with_parent
from cascade.serving.stream_worker import FORK

log = logging.getLogger("cascade")
NICE = 10  # streams come first
NAME = "the recording"
FAILED = f"{NAME} cannot be transcribed: an error of the server."
OPENING = 60.0  # seconds until the length of a recording must be known
MOST_WORK = 1e6  # seconds of work on a recording: poll() refuses more than 25 days
STEREO, RATE = 2, 48000  # the samples of --max-seconds at this rate in Hz are the most in memory


class Answer(NamedTuple):
    """The status of an HTTP answer, and its JSON text or the sentence that says what is wrong."""

    status: int
    text: str


@dataclass(frozen=True)
class Loaded:
    """A model whose recogniser is loaded already."""

    features: Features
    limits: Limits
    recogniser: Recogniser

    def load(self) -> Recogniser:
        """Return the recogniser."""
        return self.recogniser


class FileWorker:
    """What the process does. ``most`` is the longest recording in seconds.

    Its length must be known within `OPENING`; then it may take this time and its length again.
    """

    def __init__(self, model: Loaded, most: float):
        self._model, self._most = model, most

    def __call__(self, connection: Connection) -> None:
        """Answer one recording after the other, until the server hangs up."""
        os.nice(NICE)
        while True:
            try:
                data = connection.recv()
            except EOFError:
                return
            try:
                answer = self._answer(data)
            except Exception:  # the next recording needs this process
                log.exception("A recording cannot be transcribed.")
                answer = Answer(500, FAILED)
            connection.send(answer)

    def _answer(self, data: bytes) -> Answer:
        ours, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=self._transcribe, args=(data, theirs, os.getpid()))
        process.start()
        theirs.close()
        most, answer = OPENING, None
        try:
            while ours.poll(most):
                answer = ours.recv()
                if isinstance(answer, Answer):
                    return answer
                most = min(OPENING + answer, MOST_WORK)
            what = "open" if answer is None else "transcribe"
            return Answer(503, f"{NAME} takes more than {most:.0f} s to {what}.")
        except EOFError:
            return Answer(400, f"{NAME} cannot be read: it ends the decoder of audio.")
        finally:
            process.kill()
            process.join()
            ours.close()

    def _transcribe(self, data: bytes, connection: Connection, parent: int) -> None:
        die_with_parent()  # a server that stops kills the parent
        if os.getppid() != parent:  # it has done so already
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        descriptor = os.memfd_create("recording")
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            path = Path(f"/proc/self/fd/{descriptor}")
            try:
                info = audio.inspect(path)
                self._check(info)
                connection.send(info.seconds)
                (recording,) = transcribe(self._model, [path])
                answer = Answer(200, formats.as_json("", recording))
            except UserError as error:
                answer = Answer(400, str(error).replace(str(path), NAME))
            except Exception:
                log.exception("A recording cannot be transcribed.")
                answer = Answer(500, FAILED)
        connection.send(answer)

    def _check(self, info: audio.AudioInfo) -> None:
        """Raise `UserError` for a recording that is too long, or takes too much memory.

        Silence is small in a file, but its samples are all in memory before they are resampled.
        """
        if info.seconds > self._most:
            raise UserError(f"{NAME} lasts {info.seconds:.0f} s, more than {self._most:g}.")
        if info.samples * info.channels > self._most * RATE * STEREO:
            raise UserError(
                f"{NAME} has {info.samples * info.channels} samples in {info.channels} channels,"
                f" more than {self._most:g} s of stereo at {RATE} Hz. Convert it to one channel at"
                f" {RATE} Hz or less."
            )
