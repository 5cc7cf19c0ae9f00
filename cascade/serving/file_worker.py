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
from cascade.serving.stream_worker import FORK

log = logging.getLogger("cascade")
NICE = 10  # streams come first
NAME = "the recording"


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
    """What the process does. ``most`` is the longest recording in seconds, and of work on it."""

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
            connection.send(self._answer(data))

    def _answer(self, data: bytes) -> Answer:
        ours, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=self._transcribe, args=(data, theirs))
        process.start()
        theirs.close()
        try:
            if not ours.poll(self._most):
                return Answer(503, f"{NAME} takes more than {self._most:g} s to transcribe.")
            answer: Answer = ours.recv()
            return answer
        except EOFError:
            return Answer(400, f"{NAME} cannot be read: it ends the decoder of audio.")
        finally:
            process.kill()
            process.join()
            ours.close()

    def _transcribe(self, data: bytes, connection: Connection) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        descriptor = os.memfd_create("recording")
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            path = Path(f"/proc/self/fd/{descriptor}")
            try:
                seconds = audio.inspect(path).seconds
                if seconds > self._most:
                    raise UserError(f"{NAME} lasts {seconds:.0f} s, more than {self._most:g}.")
                (recording,) = transcribe(self._model, [path])
                answer = Answer(200, formats.as_json("", recording))
            except UserError as error:
                answer = Answer(400, str(error).replace(str(path), NAME))
            except Exception:
                log.exception("A recording cannot be transcribed.")
                answer = Answer(500, f"{NAME} cannot be transcribed: an error of the server.")
        connection.send(answer)
